"""The synthetic source: recordings that no person made, for tests, demonstrations and benchmarks anywhere.

Rules

* Everything follows from the arguments: the same arguments give the same recording, item for item.
* It says ``synthetic`` in its manifest, its title and its host. It is drawn, not captured: no display is
  needed.
* Trees and pixels agree: the border of each control lies on the edge of its element's box.
* ``canaries`` are placed into names, values and typed text of every segment, so that a search for leaks has
  something to find. They are the caller's; nothing else in a file comes from outside.

Example

>>> recording = "rec_AAAAAAAAAAAAAAAAAAAAAA"
>>> segment = synthetic_segment(1, recording=recording, ordinal=0, started_at=0, ended_at=60)
>>> segment[1:4]
b'USR'
"""

from understudy.formats.synthetic.segment import synthetic_recording, synthetic_segment

__all__ = ["synthetic_recording", "synthetic_segment"]
