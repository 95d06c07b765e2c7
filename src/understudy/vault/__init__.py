"""The server's store of sealed recordings: objects, uploads, key store, catalogue and the checks at ingest."""
