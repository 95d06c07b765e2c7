"""The only door: asking for access, approving it, deciding, opening, and saying why."""
