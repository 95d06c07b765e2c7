"""Builds raw files from single chunks, so that tests can break one rule at a time.

``StandIn`` is **not** encryption: it only notices changes. Real sealers come from ``understudy.sealing``.
"""

import hashlib
import io
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from tests.unit.formats.forge import RECORDING, SECRET, TREE, spine
from understudy.formats.compression import compress
from understudy.formats.elements import MAX_DEPTH, ElementState, ElementTree
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.raw.body import (
    HEADER,
    LENGTH,
    MAGIC,
    VERSION,
    ChunkKind,
    Start,
    Totals,
    frame_content,
    totals_content,
)
from understudy.formats.raw.bounds import MAX_SEALED_BYTES
from understudy.formats.raw.errors import RawCode
from understudy.formats.raw.events import (
    ButtonPress,
    ButtonRelease,
    Event,
    Focus,
    FrameComplete,
    KeyPress,
    KeyRelease,
    Lost,
    Motion,
    SecureBegin,
    SecureEnd,
    TreeComplete,
    Wheel,
    Window,
    pack,
)
from understudy.formats.raw.writer import RawWriter
from understudy.formats.screen import Screen
from understudy.formats.spelling import spell
from understudy.sealing.errors import SealError

SCREEN = Screen(width=64, height=48)
START = Start(recording=RECORDING, started_at=1_700_000_000, server_ms=5_000, screen=SCREEN)
FRAME = PlacedPicture(x=1, y=2, picture=Picture(width=4, height=3, rgb=bytes(range(36))))
EVENTS: tuple[Event, ...] = (
    Window(time=5_010, late=1, window=0x2600007, in_scope=True),
    TreeComplete(time=5_040, tree=0),
    FrameComplete(time=5_040, frame=0),
    Motion(time=5_100, x=9, y=8),
    ButtonPress(time=5_140, x=9, y=9, button=1),
    ButtonRelease(time=5_190, x=9, y=9, button=1, modifiers=4),
    Focus(time=5_195, tree=0, element=1),
    KeyPress(time=5_300, late=255, keycode=38, keysym=0x61, modifiers=1),
    KeyRelease(time=5_380, keycode=38, keysym=0x1000100),
    SecureBegin(time=5_400),
    Motion(time=5_420, x=63, y=0),
    SecureEnd(time=5_900),
    Wheel(time=5_950, x=1, y=2, dx=-1, dy=127),
    Lost(time=5_999, count=70_000),
)


class StandIn:
    """Body, then 16 bytes of SHA-256 over the number and the body."""

    def seal(self, chunk_number: int, content: bytes, /) -> bytes:
        return content + self._tag(chunk_number, content)

    def open(self, chunk_number: int, sealed: bytes, /) -> bytes:
        content, tag = sealed[:-16], sealed[-16:]
        if tag != self._tag(chunk_number, content):
            raise SealError("not sealed under this number")
        return content

    @staticmethod
    def _tag(number: int, content: bytes) -> bytes:
        return hashlib.sha256(b"vector" + number.to_bytes(4) + content).digest()[:16]


class Chunk(NamedTuple):
    """One chunk; what is None is computed."""

    kind: int
    content: bytes
    items: int = 1
    base: int = 0
    number: int | None = None
    size: int | None = None
    stored: bytes | None = None


def start(item: Start = START) -> Chunk:
    return Chunk(ChunkKind.START, spell(item), base=item.server_ms)


def tree(item: ElementTree = TREE) -> Chunk:
    return Chunk(ChunkKind.TREE, spell(item), base=5_040)


def frame() -> Chunk:
    return Chunk(ChunkKind.FRAME, frame_content(FRAME, SCREEN), base=5_040)


def events(*items: Event) -> Chunk:
    base = items[0].time
    return Chunk(ChunkKind.EVENTS, pack(items, base), len(items), base)


def end(**totals: int) -> Chunk:
    return Chunk(ChunkKind.END, totals_content(Totals(**totals)))


def assemble(*chunks: Chunk) -> bytes:
    """Return a raw file of these chunks, whatever they hold."""
    sealed = []
    for place, chunk in enumerate(chunks):
        number = place if chunk.number is None else chunk.number
        size = len(chunk.content) if chunk.size is None else chunk.size
        head = number.to_bytes(4) + chunk.kind.to_bytes(1) + chunk.items.to_bytes(2)
        head += chunk.base.to_bytes(4) + size.to_bytes(4)
        sealed.append(StandIn().seal(place, head + (chunk.stored or compress(chunk.content, level=1))))
    return HEADER.pack(MAGIC, VERSION, bytes(6)) + b"".join(LENGTH.pack(len(one)) + one for one in sealed)


def small_file() -> bytes:
    """Return a raw file as the writer makes it."""
    file = io.BytesIO()
    writer = RawWriter(file, StandIn(), START)
    writer.add(EVENTS[0])
    writer.add_tree(TREE, 5_040)
    writer.add_frame(FRAME, 5_040)
    for event in EVENTS[3:]:
        writer.add(event)
    writer.finish()
    return file.getvalue()


def _flipped(at: int) -> bytes:
    data = small_file()
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _row(kind: int, delta: int = 0, a: int = 0, b: int = 0, c: int = 0) -> bytes:
    return bytes([kind, 0]) + b"".join(field.to_bytes(2) for field in (delta, a, b, c))


def _with_rows(*rows: bytes) -> bytes:
    return assemble(start(), Chunk(ChunkKind.EVENTS, b"".join(rows), len(rows)), end(events=len(rows)))


def _with_tree(item: ElementTree) -> bytes:
    return assemble(start(), tree(item), end(trees=1))


def _with_frame(content: bytes) -> bytes:
    return assemble(start(), Chunk(ChunkKind.FRAME, content), end(frames=1))


CASES: dict[RawCode, Callable[[], bytes]] = {
    RawCode.BAD_MAGIC: lambda: _flipped(1),
    RawCode.UNKNOWN_VERSION: lambda: _flipped(8),
    RawCode.BAD_HEADER: lambda: _flipped(12),
    RawCode.TRUNCATED: lambda: small_file()[:-1],
    RawCode.CHUNK_TOO_LARGE: lambda: small_file()[:16] + (MAX_SEALED_BYTES + 1).to_bytes(4),
    RawCode.BAD_SEAL: lambda: _flipped(30),
    RawCode.BAD_CHUNK: lambda: assemble(start(), end()._replace(number=0)),
    RawCode.BAD_COMPRESSION: lambda: assemble(start(), end()._replace(stored=compress(b"x"))),
    RawCode.MALFORMED: lambda: assemble(
        start()._replace(content=spell(START).replace(b'{"kind"', b'{"added":1,"kind"')), end()
    ),
    RawCode.UNKNOWN_EVENT: lambda: _with_rows(_row(14)),
    RawCode.TIME_ORDER: lambda: _with_rows(_row(5), _row(5, 501), _row(5, 500)),
    RawCode.SECURE_KEY: lambda: _with_rows(_row(11), _row(1, 1, a=38), _row(12)),
    RawCode.SECURE_SPAN: lambda: _with_rows(_row(11), _row(11)),
    RawCode.DANGLING: lambda: _with_rows(_row(9)),
    RawCode.TREE_ORDER: lambda: _with_tree(replace(TREE, elements=(replace(TREE.elements[0], parent=0),))),
    RawCode.TREE_DEPTH: lambda: _with_tree(spine(MAX_DEPTH + 1)),
    RawCode.NOT_SORTED: lambda: _with_tree(
        replace(TREE, elements=(replace(TREE.elements[0], states=(ElementState.SHOWING, ElementState.BUSY)),))
    ),
    RawCode.SECURE_CONTENT: lambda: _with_tree(
        replace(TREE, elements=(*TREE.elements[:2], replace(SECRET, value="x")))
    ),
    RawCode.FRAME_MALFORMED: lambda: _with_frame(frame().content[:-1]),
    RawCode.COUNT_MISMATCH: lambda: assemble(start(), end(events=1)),
    RawCode.AFTER_END: lambda: small_file() + b"\x00",
}
"""For each code that few bytes can cause, a file that breaks that rule."""
