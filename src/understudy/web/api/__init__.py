"""What answers each route: one module a noun, ordinary functions from a call to an answer."""
