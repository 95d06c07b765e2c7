"""The body of a chunk: what is sealed, packed and taken apart. Pure functions over bytes.

Rules

* The number stands inside the sealed body too, so a sealer that forgets to bind it is caught.
* Sizes are bounded by kind before anything is decompressed.

Layout: ``docs/formats/raw.md``, section 2.
"""

import struct
from enum import IntEnum
from typing import Annotated, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from understudy.consent.primitives import RecordingId, Time, Value
from understudy.formats.compression import compress, expand
from understudy.formats.elements import ElementTree, tree_problems
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.raw.bounds import (
    MAX_CONTENT_BYTES,
    MAX_EVENTS_IN_CHUNK,
    MAX_FRAME_PIXELS,
    MAX_SEALED_BYTES,
    MAX_TREE_BYTES,
)
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.events import EVENT_BYTES
from understudy.formats.screen import Screen
from understudy.formats.spelling import read, spell
from understudy.sealing.errors import FormatError

MAGIC: Final = b"\x89USW\r\n\x1a\n"
VERSION: Final = 1
HEADER: Final = struct.Struct(">8sH6s")
LENGTH: Final = struct.Struct(">I")
FAST: Final = 1
"""zstd level for raw chunks: the recorder's own time counts, the bytes live for minutes."""

_BODY: Final = struct.Struct(">IBHII")
_BOX: Final = struct.Struct(">HHHH")
_TOTALS: Final = struct.Struct(">QQQQ")


class ChunkSealer(Protocol):
    """Seals and opens single chunks under the run's key; supplied by ``understudy.sealing``."""

    def seal(self, chunk_number: int, content: bytes, /) -> bytes:
        """Return ``content`` encrypted and bound to its number."""
        ...

    def open(self, chunk_number: int, sealed: bytes, /) -> bytes:
        """Return the content; raises an ``UnderstudyError`` unless it was sealed under that number."""
        ...


class ChunkKind(IntEnum):
    """What a chunk holds."""

    START = 0
    EVENTS = 1
    TREE = 2
    FRAME = 3
    END = 4


_LARGEST: Final = {
    ChunkKind.START: 4_096,
    ChunkKind.EVENTS: MAX_EVENTS_IN_CHUNK * EVENT_BYTES,
    ChunkKind.TREE: MAX_TREE_BYTES,
    ChunkKind.FRAME: MAX_CONTENT_BYTES,
    ChunkKind.END: _TOTALS.size,
}


class Start(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a raw file belongs to, and the anchor between server time and the calendar."""

    recording: RecordingId
    started_at: Time
    server_ms: Annotated[int, Meta(ge=0, lt=1 << 32)]
    screen: Screen
    kind: Literal["raw"] = "raw"
    version: Literal[1] = 1


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the end says: how much there is before it."""

    events: int = 0
    trees: int = 0
    frames: int = 0
    lost: int = 0


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """One chunk, opened: ``content`` is decompressed."""

    kind: ChunkKind
    count: int
    base: int
    content: bytes


def seal_body(sealer: ChunkSealer, number: int, body: Body) -> bytes:
    """Return length and sealed bytes of a chunk.

    Raises:
        RawError: ``chunk-too-large``.
    """
    if len(body.content) > _LARGEST[body.kind]:
        raise RawError(RawCode.CHUNK_TOO_LARGE, f"{len(body.content)} bytes in a {body.kind.name} chunk")
    head = _BODY.pack(number, body.kind, body.count, body.base, len(body.content))
    sealed = sealer.seal(number, head + compress(body.content, level=FAST))
    if len(sealed) > MAX_SEALED_BYTES:
        raise RawError(RawCode.CHUNK_TOO_LARGE, f"a sealed chunk of {len(sealed)} bytes")
    return LENGTH.pack(len(sealed)) + sealed


def take_apart(opened: bytes, number: int) -> Body:
    """Return the chunk in an opened body.

    Raises:
        RawError: ``bad-chunk``, ``chunk-too-large`` or ``bad-compression``.
    """
    if len(opened) < _BODY.size:
        raise RawError(RawCode.BAD_CHUNK, "a chunk without its head")
    own_number, kind_number, count, base, size = _BODY.unpack_from(opened)
    if own_number != number or kind_number not in _LARGEST:
        raise RawError(RawCode.BAD_CHUNK, "a chunk of another number, or of an unknown kind")
    kind = ChunkKind(kind_number)
    if (kind is ChunkKind.START) != (number == 0):
        raise RawError(RawCode.BAD_CHUNK, "the start is not the first chunk, or there are two")
    if size > _LARGEST[kind]:
        raise RawError(RawCode.CHUNK_TOO_LARGE, f"{size} bytes in a {kind.name} chunk")
    is_counted = size == count * EVENT_BYTES if kind is ChunkKind.EVENTS else count == 1
    if count == 0 or size == 0 or not is_counted:
        raise RawError(RawCode.BAD_CHUNK, "a chunk whose count is not that of its content")
    try:
        content = expand(opened[_BODY.size :], size)
    except FormatError as error:
        raise RawError(RawCode.BAD_COMPRESSION, "not one plain zstd frame of its size") from error
    return Body(kind=kind, count=count, base=base, content=content)


def start_in(content: bytes) -> Start:
    """Return the start; raises ``RawError`` ``malformed``."""
    try:
        return read(Start, content)
    except FormatError as error:
        raise RawError(RawCode.MALFORMED, "not a start") from error


def tree_in(content: bytes) -> ElementTree:
    """Return the tree of a chunk.

    Raises:
        RawError: ``malformed``, or a rule of trees is broken.
    """
    try:
        tree = read(ElementTree, content)
    except FormatError as error:
        raise RawError(RawCode.MALFORMED, "not an element tree") from error
    for code, message in tree_problems(tree):
        raise RawError(RawCode(code), message)
    return tree


def tree_content(tree: ElementTree) -> bytes:
    """Return the content of a tree's chunk; raises as ``tree_in``."""
    try:
        content = spell(tree)
    except FormatError as error:
        raise RawError(RawCode.MALFORMED, "not an element tree") from error
    tree_in(content)
    return content


def frame_content(frame: PlacedPicture, screen: Screen) -> bytes:
    """Return the content of a frame's chunk; raises as ``frame_in``."""
    picture = frame.picture
    try:
        content = _BOX.pack(frame.x, frame.y, picture.width, picture.height) + picture.rgb
    except struct.error as error:
        raise RawError(RawCode.FRAME_MALFORMED, "a box that no screen holds") from error
    frame_in(content, screen)
    return content


def frame_in(content: bytes, screen: Screen) -> PlacedPicture:
    """Return the frame of a chunk.

    Raises:
        RawError: ``frame-malformed``.
    """
    if len(content) < _BOX.size:
        raise RawError(RawCode.FRAME_MALFORMED, "a frame without a box")
    x, y, width, height = _BOX.unpack_from(content)
    rgb = content[_BOX.size :]
    if not 0 < width * height <= MAX_FRAME_PIXELS or len(rgb) != width * height * 3:
        raise RawError(RawCode.FRAME_MALFORMED, "pixels that do not fill the box")
    if x + width > screen.width or y + height > screen.height:
        raise RawError(RawCode.FRAME_MALFORMED, "a box that leaves the screen")
    return PlacedPicture(x=x, y=y, picture=Picture(width=width, height=height, rgb=rgb))


def totals_content(totals: Totals) -> bytes:
    """Return the content of the end."""
    return _TOTALS.pack(totals.events, totals.trees, totals.frames, totals.lost)


def totals_in(content: bytes) -> Totals:
    """Return the totals of the end; raises ``RawError`` ``malformed``."""
    if len(content) != _TOTALS.size:
        raise RawError(RawCode.MALFORMED, "not an end")
    events, trees, frames, lost = _TOTALS.unpack(content)
    return Totals(events=events, trees=trees, frames=frames, lost=lost)
