"""Builds recording files from single parts, so that tests can break one rule at a time.

The writer refuses to write what is wrong. ``Part`` and ``assemble`` know the layout only, and believe what
they are told; ``CASES`` holds one broken file for each code that a file can have.
"""

import hashlib
import io
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace
from PIL import Image

from understudy.consent.primitives import Value
from understudy.formats.compression import compress
from understudy.formats.elements import MAX_DEPTH, Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture
from understudy.formats.recording.actions import (
    Action,
    ActionChunk,
    Click,
    FillSecret,
    Key,
    Modifier,
    Point,
    Scroll,
    Type,
)
from understudy.formats.recording.errors import Code
from understudy.formats.recording.frames import Frame, encode
from understudy.formats.recording.gaps import Gap, GapChunk
from understudy.formats.recording.layout import (
    MAGIC,
    TRAILER_BYTES,
    Chunk,
    Index,
    Kind,
    ending,
    header,
    sha256,
)
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.versions import TreeChunk, Version, VersionChunk
from understudy.formats.screen import Screen
from understudy.formats.spelling import spell

RECORDING = "rec_AAAAAAAAAAAAAAAAAAAAAA"
MANIFEST = Manifest(
    recording=RECORDING,
    ordinal=0,
    title="Synthetic vector",
    task="vector",
    application_group="synthetic",
    started_at=1_700_000_000,
    ended_at=1_700_000_060,
    screen=Screen(width=64, height=48),
    source="synthetic",
    redaction=None,
    locale="en",
)
FIELD = Element(
    role=Role.TEXTBOX,
    name="Name",
    value="",
    states=(ElementState.FOCUSABLE,),
    box=Box(4, 4, 40, 12),
    parent=0,
)
SECRET = Element(
    role=Role.TEXTBOX, name="Password", states=(ElementState.SECURE,), box=Box(4, 20, 40, 12), parent=0
)
ROOT = Element(role=Role.DOCUMENT, name="Synthetic page", box=Box(0, 0, 64, 48))
TREE = ElementTree(elements=(ROOT, FIELD, SECRET), host="synthetic.example")
FILLED = ElementTree(elements=(ROOT, replace(FIELD, value="amber"), SECRET), host="synthetic.example")
PICTURE = Picture(width=8, height=6, rgb=bytes(range(144)))
FRAME = Frame(x=2, y=3, width=8, height=6, webp=encode(PICTURE))
VERSIONS = (Version(at_ms=0, tree=0, frame=0), Version(at_ms=3000, tree=1, frame=None))
ACTIONS: tuple[Action, ...] = (
    Click(at_ms=1000, before=0, target=1, point=Point(9, 9)),
    Type(at_ms=2000, before=0, target=1, text="amber", value="amber"),
    FillSecret(at_ms=4000, before=1, target=2),
    Key(at_ms=5000, before=1, target=1, key="a", modifiers=(Modifier.CONTROL,)),
)
GAPS = (Gap(from_ms=10_000, to_ms=12_000), Gap(from_ms=20_000, to_ms=21_000))


class Part(NamedTuple):
    """One chunk; what is None is computed from the content."""

    kind: Kind
    content: bytes
    items: int = 1
    from_ms: int | None = None
    to_ms: int | None = None
    stored: bytes | None = None
    size: int | None = None
    hash: str | None = None


def trees(*items: ElementTree) -> Part:
    return Part(Kind.TREES, spell(TreeChunk(trees=items)), len(items))


def frame(item: Frame = FRAME) -> Part:
    return Part(Kind.FRAME, item.pack())


def versions(*items: Version) -> Part:
    times = [item.at_ms for item in items]
    return Part(Kind.VERSIONS, spell(VersionChunk(versions=items)), len(items), min(times), max(times))


def actions(*items: Action) -> Part:
    times = [item.at_ms for item in items]
    return Part(Kind.ACTIONS, spell(ActionChunk(actions=items)), len(items), min(times), max(times))


def gaps(*items: Gap) -> Part:
    first, last = min(item.from_ms for item in items), max(item.to_ms for item in items)
    return Part(Kind.GAPS, spell(GapChunk(gaps=items)), len(items), first, last)


def manifest(item: Value = MANIFEST) -> Part:
    return Part(Kind.MANIFEST, spell(item))


def parts() -> dict[str, Part]:
    """Return the chunks of a small valid file, by name; a case replaces one and assembles."""
    return {
        "trees": trees(TREE, FILLED),
        "frame": frame(),
        "versions": versions(*VERSIONS),
        "actions": actions(*ACTIONS),
        "gaps": gaps(*GAPS),
        "manifest": manifest(),
    }


def with_parts(**changed: Part) -> bytes:
    """Return the small file with some of its chunks replaced."""
    return assemble(*{**parts(), **changed}.values())


def row(part: Part) -> tuple[Chunk, bytes]:
    stored = part.stored
    if stored is None:
        stored = part.content if part.kind is Kind.FRAME else compress(part.content)
    chunk = Chunk(
        kind=part.kind,
        length=len(stored),
        size=len(part.content) if part.size is None else part.size,
        hash=part.hash or sha256(stored),
        count=part.items,
        from_ms=part.from_ms,
        to_ms=part.to_ms,
    )
    return chunk, stored


def assemble(*chosen: Part) -> bytes:
    """Return a file of these chunks, whatever they hold."""
    rows = [row(part) for part in chosen]
    end = ending(Index(chunks=tuple(chunk for chunk, _ in rows)))
    return header() + b"".join(stored for _, stored in rows) + end


def with_index(content: bytes) -> bytes:
    """Return the small file with another index of the given content."""
    rows = [row(part) for part in parts().values()]
    start = header() + b"".join(stored for _, stored in rows)
    stored = compress(content)
    total = len(start) + len(stored) + TRAILER_BYTES
    trailer = len(stored).to_bytes(4) + len(content).to_bytes(4) + hashlib.sha256(stored).digest()
    return start + stored + trailer + total.to_bytes(8) + MAGIC[::-1]


def index_of_small_file() -> Index:
    return Index(chunks=tuple(row(part)[0] for part in parts().values()))


def webp(*, lossless: bool = True, alpha: bool = False) -> bytes:
    image = Image.frombytes("RGB", (8, 6), PICTURE.rgb)
    if alpha:
        image.putalpha(100)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=lossless)
    return buffer.getvalue()


def vp8l(width: int, height: int, body: bytes = b"\x00" * 7) -> bytes:
    """Return a WebP file with a true header and nothing true behind it."""
    bits = (width - 1) | (height - 1) << 14
    chunk = b"\x2f" + bits.to_bytes(4, "little") + body
    chunk += b"\x00" * (len(chunk) % 2)
    riff = b"WEBPVP8L" + len(chunk).to_bytes(4, "little") + chunk
    return b"RIFF" + len(riff).to_bytes(4, "little") + riff


def raw_frame(width: int, height: int, data: bytes, x: int = 0, y: int = 0) -> Part:
    return Part(Kind.FRAME, b"".join(side.to_bytes(2) for side in (x, y, width, height)) + data)


def spine(depth: int) -> ElementTree:
    """Return a tree that is one line downward."""
    below = (Element(role=Role.GENERIC, parent=number) for number in range(depth - 1))
    return ElementTree(elements=(ROOT, *below))


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _with_tree(tree: ElementTree) -> bytes:
    return with_parts(trees=trees(tree, FILLED))


def _with_action(action: Action) -> bytes:
    return with_parts(actions=actions(action))


def _claiming(part: Part, count: int, size: int | None = None) -> bytes:
    """Return a file whose index claims chunks that could not be, but is true to the bytes."""
    return assemble(*[part._replace(size=size)] * count, manifest())


CASES: dict[Code, Callable[[], bytes]] = {
    Code.TOO_LARGE: lambda: _claiming(trees(TREE), 65, 4 << 20),
    Code.TRUNCATED: lambda: with_parts()[:-1],
    Code.BAD_MAGIC: lambda: _flipped(with_parts(), 1),
    Code.UNKNOWN_VERSION: lambda: _flipped(with_parts(), 8),
    Code.BAD_HEADER: lambda: _flipped(with_parts(), 12),
    Code.INDEX_CORRUPT: lambda: _flipped(with_parts(), len(with_parts()) - TRAILER_BYTES - 2),
    Code.INDEX_MALFORMED: lambda: with_index(
        spell(index_of_small_file()).replace(b'"version":1', b'"version":2')
    ),
    Code.BAD_LAYOUT: lambda: assemble(*reversed(parts().values())),
    Code.TOO_MANY: lambda: _claiming(Part(Kind.VERSIONS, b"{}", 256, 0, 0), 17),
    Code.CHUNK_TOO_LARGE: lambda: with_parts(trees=trees(TREE)._replace(size=(4 << 20) + 1)),
    Code.CHUNK_CORRUPT: lambda: _flipped(with_parts(), 20),
    Code.BAD_COMPRESSION: lambda: with_parts(gaps=gaps(*GAPS)._replace(stored=compress(b"{}") + b"\x00")),
    Code.MALFORMED: lambda: with_parts(
        manifest=Part(Kind.MANIFEST, spell(MANIFEST).replace(b'{"application', b'{"added":1,"application', 1))
    ),
    Code.COUNT_MISMATCH: lambda: with_parts(gaps=gaps(*GAPS)._replace(items=1)),
    Code.TIME_MISMATCH: lambda: with_parts(gaps=gaps(*GAPS)._replace(to_ms=22_000)),
    Code.MANIFEST_TIMES: lambda: with_parts(manifest=manifest(replace(MANIFEST, ended_at=1_700_003_601))),
    Code.UNREDACTED: lambda: with_parts(manifest=manifest(replace(MANIFEST, source="recorder"))),
    Code.TIME_OFF_GRID: lambda: with_parts(gaps=gaps(Gap(from_ms=10_000, to_ms=12_500))),
    Code.TIME_RANGE: lambda: with_parts(gaps=gaps(Gap(from_ms=10_000, to_ms=61_000))),
    Code.TIME_ORDER: lambda: with_parts(actions=actions(*reversed(ACTIONS[:2]))),
    Code.NOT_SORTED: lambda: _with_action(
        Key(at_ms=5000, before=0, key="a", modifiers=(Modifier.SHIFT, Modifier.CONTROL))
    ),
    Code.TREE_ORDER: lambda: _with_tree(
        replace(TREE, elements=(ROOT, FIELD, replace(FIELD, parent=0), replace(FIELD, parent=1)))
    ),
    Code.TREE_DEPTH: lambda: _with_tree(spine(MAX_DEPTH + 1)),
    Code.SECURE_CONTENT: lambda: _with_tree(
        replace(TREE, elements=(ROOT, FIELD, replace(SECRET, value="x")))
    ),
    Code.DUPLICATE: lambda: with_parts(trees=trees(TREE, TREE)),
    Code.EMPTY_VERSION: lambda: with_parts(
        versions=versions(*VERSIONS, Version(at_ms=4000, tree=None, frame=None))
    ),
    Code.DANGLING: lambda: _with_action(Click(at_ms=4000, before=0, target=3)),
    Code.UNREFERENCED: lambda: with_parts(trees=trees(TREE, FILLED, spine(2))),
    Code.STATE_AFTER_ACTION: lambda: _with_action(Click(at_ms=2000, before=1, target=1)),
    Code.TYPED_KEY: lambda: _with_action(Key(at_ms=2000, before=0, target=1, key="a")),
    Code.EMPTY_SCROLL: lambda: _with_action(Scroll(at_ms=2000, before=0, target=1)),
    Code.GAP_ORDER: lambda: with_parts(gaps=gaps(*reversed(GAPS))),
    Code.FRAME_MALFORMED: lambda: with_parts(frame=raw_frame(8, 6, webp(lossless=False))),
    Code.FRAME_BOX: lambda: with_parts(frame=frame(replace(FRAME, x=57))),
    Code.TOO_MANY_PIXELS: lambda: with_parts(frame=raw_frame(8_192, 2_049, vp8l(8_192, 2_049))),
}
"""For each code that the bytes alone can cause, a file that breaks that rule and no other."""
