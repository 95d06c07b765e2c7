"""The dataset format: what a release is made of; ``docs/formats/dataset.md``.

Rules

* Here are the manifest and its check only. Shards are written where releases are built, because this package
  imports no data engine.
* Nothing in a manifest names or numbers a participant.
"""
