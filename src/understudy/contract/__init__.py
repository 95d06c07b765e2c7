"""The HTTP messages and routes, as values."""
