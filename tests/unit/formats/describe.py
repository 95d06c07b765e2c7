"""What a file holds, as plain JSON values: the readable half of each vector."""

import json

import msgspec

from understudy.formats.elements import ElementTree
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.raw.reader import RawReader
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.reader import RecordingReader


def describe_recording(reader: RecordingReader) -> object:
    """Return every item of a recording file."""
    frames = (reader.frame(number) for number in range(reader.count(Kind.FRAME)))
    return _plain(
        {
            "manifest": reader.manifest,
            "trees": [reader.tree(number) for number in range(reader.count(Kind.TREES))],
            "frames": [_frame(frame.x, frame.y, frame.picture()) for frame in frames],
            "versions": [reader.version(number) for number in range(reader.count(Kind.VERSIONS))],
            "actions": list(reader.actions()),
            "gaps": reader.gaps(),
        }
    )


def describe_raw(reader: RawReader) -> object:
    """Return every item of a raw file, chunk by chunk."""
    chunks: list[object] = []
    for item in reader.items():
        match item:
            case ElementTree():
                chunks.append({"tree": item})
            case PlacedPicture():
                chunks.append({"frame": _frame(item.x, item.y, item.picture)})
            case _:
                chunks.append(
                    [{"event": type(event).__name__, **msgspec.to_builtins(event)} for event in item]
                )
    return _plain({"start": reader.start, "chunks": chunks, "totals": reader.totals})


def _frame(x: int, y: int, picture: Picture) -> dict[str, object]:
    return {"box": [x, y, picture.width, picture.height], "rgb": picture.rgb.hex()}


def _plain(value: object) -> object:
    return json.loads(msgspec.json.encode(value))
