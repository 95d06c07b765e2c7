"""The demonstration: the whole path, by the same commands that a person would type."""
