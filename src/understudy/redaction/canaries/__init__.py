"""Looks for planted strings, canaries, where none may be: in stores as bytes, in recordings as content.

Rules

* A search is worth what its control finds: the same search over the same content, unprotected, must find all.
* ``store`` reads bytes and knows nothing of formats but how to unpack them; ``content`` reads recordings.
* Reports name canaries by their number, never by their text.
"""
