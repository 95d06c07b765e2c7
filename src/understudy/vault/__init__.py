"""The server's store of sealed recordings: objects, uploads, key store, catalogue, checks at ingest."""
