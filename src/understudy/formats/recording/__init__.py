"""The recording format: what lies inside the seal of a segment; ``docs/formats/recording.md``.

Rules

* A file is one segment, whole and self-contained: actions, versions (trees and frames), gaps, manifest.
* No key events, no times of keys, no path of the pointer.
* ``writer`` writes only what ``check`` accepts; ``reader`` reads only the chunks it needs.
* Nothing here imports pyarrow.
"""
