"""The tests: `unit` mirrors the package, `promises` holds one file a promise, `scripts` the command line."""
