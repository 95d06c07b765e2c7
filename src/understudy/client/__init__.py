"""Other parties over HTTP, and what a reader or a participant does with their answers."""
