"""A stretch as a recording file, and back: what the session holds, and what it opens to rewrite.

Rules

* Equal trees and frames are stored once; the stretch that comes back numbers them as the file does.
* Encoding pixels is most of the work. ``FrameCache`` remembers the files of the last writing, by the pixels.

Example

>>> from understudy.formats.screen import Screen
>>> manifest = Manifest(recording="rec_AAAAAAAAAAAAAAAAAAAAAA", ordinal=0, title="", task="demo",
...     application_group="web", started_at=0, ended_at=60, source="synthetic", redaction=None,
...     screen=Screen(width=800, height=600))
>>> stretch_of(payload_of(Stretch(), manifest)) == Stretch()
True
"""

import hashlib
import io
from collections.abc import Callable

from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.recording.frames import encode
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version
from understudy.formats.recording.writer import RecordingWriter


def payload_of(
    stretch: Stretch, manifest: Manifest, *, encoder: Callable[[Picture], bytes] = encode
) -> bytes:
    """Return the recording file of a stretch.

    Raises:
        RecordingError: stretch and manifest break a rule of the format.
    """
    sink = io.BytesIO()
    writer = RecordingWriter(sink, encoder=encoder)
    trees = [writer.add_tree(tree) for tree in stretch.trees]
    frames = [writer.add_frame(frame.picture, frame.x, frame.y) for frame in stretch.frames]
    for version in stretch.versions:
        writer.add_version(
            Version(
                at_ms=version.at_ms,
                tree=None if version.tree is None else trees[version.tree],
                frame=None if version.frame is None else frames[version.frame],
            )
        )
    for action in stretch.actions:
        writer.add_action(action)
    for gap in stretch.gaps:
        writer.add_gap(gap)
    writer.finish(manifest)
    return sink.getvalue()


def manifest_of(payload: bytes) -> Manifest:
    """Return the manifest of a recording file."""
    return RecordingReader(io.BytesIO(payload)).manifest


def stretch_of(payload: bytes) -> Stretch:
    """Return what a recording file holds, with all its pixels decoded.

    Raises:
        RecordingError: it breaks a rule of the format.
    """
    reader = RecordingReader(io.BytesIO(payload))
    frames = (reader.frame(number) for number in range(reader.count(Kind.FRAME)))
    return Stretch(
        actions=tuple(reader.actions()),
        versions=tuple(reader.version(number) for number in range(reader.count(Kind.VERSIONS))),
        trees=tuple(reader.tree(number) for number in range(reader.count(Kind.TREES))),
        frames=tuple(PlacedPicture(x=frame.x, y=frame.y, picture=frame.picture()) for frame in frames),
        gaps=reader.gaps(),
    )


class FrameCache:
    """Encodes pictures, and remembers those of the last two rounds."""

    def __init__(self) -> None:
        self._older: dict[bytes, bytes] = {}
        self._newer: dict[bytes, bytes] = {}

    def __call__(self, picture: Picture) -> bytes:
        """Return the plain lossless WebP file of a picture."""
        state = hashlib.sha256(b"%d %d " % (picture.width, picture.height))
        state.update(picture.rgb)
        key = state.digest()
        found = self._newer.get(key) or self._older.get(key)
        self._newer[key] = found if found is not None else encode(picture)
        return self._newer[key]

    def next_round(self) -> None:
        """Forget what was not asked for since the call before this one."""
        self._older, self._newer = self._newer, {}
