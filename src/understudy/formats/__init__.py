"""What crosses a machine boundary on disk: elements, recordings, raw capture files, data sets.

Rules

* The pages in ``docs/formats`` are normative; this package implements them.
* Every format has a writer, a reader and a ``check`` that lists each broken rule with its code and never
  raises on bad input.
* A reader refuses before it allocates: every size and count has a bound.
* Nothing here imports a data engine, a trainer, a recorder or a server.
"""
