"""Finds what must not leave the device, replaces it consistently, and masks it in pixels."""
