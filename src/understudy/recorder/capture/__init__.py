"""Capture: what happens at the desktop, held back until it is known to be no secret, into the raw file."""
