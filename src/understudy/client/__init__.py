"""HTTP implementations of what other packages see as Protocols, and what a reader or participant does with them."""
