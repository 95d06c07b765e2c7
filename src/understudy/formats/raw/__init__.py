"""The raw format: what a running recorder keeps for minutes, on the device only; ``docs/formats/raw.md``.

Rules

* Every chunk is sealed by itself under a key that lives in memory only; the sealer is passed in.
* Between the two marks of a secure span there is no key event. Writer, reader and ``check`` all insist.
* Times are the display server's own stamps.
"""
