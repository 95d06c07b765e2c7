"""Understudy: consented recording of computer use, and models refined on it."""

__version__ = "0.1.0"
