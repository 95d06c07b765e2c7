"""Every use of cryptography. Nothing outside this package imports ``cryptography``."""
