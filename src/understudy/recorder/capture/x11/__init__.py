"""X11: input, windows and the screen of an X display, as the vocabulary of ``formats.raw`` and ``observed``.

Rules

* Nothing here decides what may be kept: every key of the whole display comes out of ``input``. Only the gate
  may see it.
* A display that is not there, is too old, runs on another machine's clock or goes away is a ``DisplayError``,
  whatever the library underneath calls it.
* Each source has a connection of its own, so that none waits for another.
"""
