"""The contact sheet: recordings one under the other, their acts in rows, one cell an act.

Rules

* Segments of one recording stand together, in order of time. A cell says number, time and act in words.
* The size is bounded: at most ``limit`` cells in all, shared evenly, and the sheet says what it leaves out.
* One frame is in memory at a time. The same files give the same picture.
* A file in clear makes a picture in clear: whoever writes one to the disk has to say so.

Example::

    with open("segment.understudy", "rb") as segment:
        png = contact_sheet([segment])
"""

import io
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from PIL import Image, ImageDraw

from understudy.formats.elements import Box
from understudy.formats.recording.actions import Action
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.words import sentence, time_words, visible
from understudy.formats.sheet.ink import (
    BODY,
    GROUND,
    HAIRLINE,
    LEAD,
    MUTED,
    TEXT,
    TITLE,
    fitted,
    line_height,
    text_width,
    wrapped,
    write,
)
from understudy.formats.sheet.scene import Shot, draw_shot, view_of
from understudy.formats.source import RandomAccess

COLUMNS: Final = 4
LIMIT: Final = 60
MAX_LIMIT: Final = 400
"""More cells would make a picture that few programs open."""

_EDGE: Final = 40
_BETWEEN: Final = 24
_CELL: Final = 320
_LOWEST: Final = 120
_HIGHEST: Final = 300
_CAPTION_LINES: Final = 2
_CAPTION: Final = 8 + line_height(BODY) * (1 + _CAPTION_LINES)
_LEGEND: Final = (
    "outlined: the target  ·  ring: where the pointer was  ·  hatched: a secret, or taken out on the device"
)
_MAX_TITLE: Final = 200
_MAX_INSTRUCTION: Final = 400


class _Recording(msgspec.Struct):
    """The segments of one recording, opened."""

    segments: list[RecordingReader]

    @property
    def started_at(self) -> int:
        return self.segments[0].manifest.started_at

    @property
    def actions(self) -> int:
        return sum(reader.count(Kind.ACTIONS) for reader in self.segments)

    def shots(self, count: int) -> Iterator[Shot]:
        """Yield the first ``count`` acts."""
        for reader in self.segments:
            begins = (reader.manifest.started_at - self.started_at) * 1_000
            for action in reader.actions(0, count):
                yield _shot(reader, action, begins)
                count -= 1

    def title(self) -> str:
        manifest = self.segments[0].manifest
        return visible(manifest.title or manifest.task, _MAX_TITLE)

    def instruction(self) -> str:
        return visible(self.segments[0].manifest.instruction or "", _MAX_INSTRUCTION)

    def facts(self, shown: int) -> str:
        """Return one line of what the recording is."""
        manifest = self.segments[0].manifest
        seconds = self.segments[-1].manifest.ended_at - self.started_at
        gaps = sum(len(reader.gaps()) for reader in self.segments)
        facts = [
            f"task {manifest.task}",
            f"{time_words(seconds * 1_000)} long",
            _count(self.actions, "action"),
            *([_count(gaps, "gap")] if gaps else []),
            *([f"{self.actions - shown} not shown here"] if shown < self.actions else []),
            *(["synthetic: no person did this"] if manifest.is_synthetic else []),
        ]
        return "  ·  ".join(facts)


class _Block(msgspec.Struct):
    """One recording on the sheet: where it begins, and how many of its acts are drawn."""

    recording: _Recording
    shown: int
    top: int
    head: list[tuple[str, int, bool]]
    """Lines above the cells: text, size, whether muted."""
    view: Box | None

    @property
    def head_height(self) -> int:
        return sum(line_height(size) for _, size, _ in self.head) + 16

    @property
    def picture(self) -> int:
        """Height of a picture: as the recording's page is high."""
        if self.view is None:
            return _LOWEST
        return min(max(_CELL * self.view.height // self.view.width, _LOWEST), _HIGHEST)

    @property
    def row(self) -> int:
        """Height of a row of cells."""
        return self.picture + _CAPTION + _BETWEEN


def contact_sheet(sources: Sequence[RandomAccess], *, columns: int = COLUMNS, limit: int = LIMIT) -> bytes:
    """Return a PNG file that shows recordings act by act.

    Args:
        sources: recording files in clear, in any order; segments of one recording are put together.
        columns: cells in a row, 1 to 8.
        limit: cells in all, 1 to ``MAX_LIMIT``; every recording gets its share.

    Raises:
        RecordingError: a file breaks a rule of its format.
    """
    columns, limit = min(max(columns, 1), 8), min(max(limit, 1), MAX_LIMIT)
    recordings = _together(sources)
    left_out = max(0, len(recordings) - limit)
    shares = _shares([recording.actions for recording in recordings[:limit]], limit)
    width = 2 * _EDGE + columns * _CELL + (columns - 1) * _BETWEEN
    blocks: list[_Block] = []
    top = _EDGE
    for recording, shown in zip(recordings, shares, strict=False):
        view = view_of(recording.shots(shown))
        head = _head(recording, shown, width)
        block = _Block(recording=recording, shown=shown, top=top, head=head, view=view)
        blocks.append(block)
        top += block.head_height + -(-shown // columns) * block.row + _BETWEEN
    foot = [f"{_count(left_out, 'more recording')} not shown here"] if left_out else []
    foot += [_LEGEND] if any(shares) else []
    image = Image.new("RGB", (width, top - _BETWEEN + _EDGE + len(foot) * line_height(BODY)), GROUND)
    for number, block in enumerate(blocks):
        if number:
            y = block.top - _BETWEEN
            ImageDraw.Draw(image).line((_EDGE, y, width - _EDGE, y), fill=HAIRLINE)
        _draw_block(image, block, columns)
    for number, line in enumerate(foot):
        y = image.height - _EDGE - (len(foot) - number) * line_height(BODY)
        write(image, (_EDGE, y), fitted(line, BODY, width - 2 * _EDGE), BODY, MUTED)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _draw_block(image: Image.Image, block: _Block, columns: int) -> None:
    y = block.top
    for text, size, is_muted in block.head:
        write(image, (_EDGE, y), text, size, MUTED if is_muted else TEXT)
        y += line_height(size)
    for number, shot in enumerate(block.recording.shots(block.shown)):
        row, column = divmod(number, columns)
        x = _EDGE + column * (_CELL + _BETWEEN)
        _draw_cell(image, (x, block.top + block.head_height + row * block.row), number, shot, block)


def _draw_cell(image: Image.Image, at: tuple[int, int], number: int, shot: Shot, block: _Block) -> None:
    x, y = at
    image.paste(draw_shot(shot, block.view, _CELL, block.picture), at)
    frame = (x - 1, y - 1, x + _CELL, y + block.picture)
    ImageDraw.Draw(image).rectangle(frame, outline=HAIRLINE)
    y += block.picture + 8
    write(image, (x, y), f"{number + 1}", BODY, MUTED)
    moment = time_words(shot.at_ms)
    write(image, (x + _CELL - text_width(moment, BODY), y), moment, BODY, MUTED)
    for line in wrapped(shot.said, BODY, width=_CELL, lines=_CAPTION_LINES):
        y += line_height(BODY)
        write(image, (x, y), line, BODY)


def _head(recording: _Recording, shown: int, width: int) -> list[tuple[str, int, bool]]:
    room = width - 2 * _EDGE
    lines = [(fitted(recording.title(), TITLE, room), TITLE, False)]
    if instruction := recording.instruction():
        lines += [(line, LEAD, False) for line in wrapped(instruction, LEAD, width=room, lines=2)]
    lines.append((fitted(recording.facts(shown), BODY, room), BODY, True))
    return lines


def _together(sources: Sequence[RandomAccess]) -> list[_Recording]:
    """Return the recordings in order of time, each with its segments in order."""
    found: dict[str, list[RecordingReader]] = {}
    for source in sources:
        reader = RecordingReader(source)
        found.setdefault(reader.manifest.recording, []).append(reader)
    made = [
        _Recording(sorted(segments, key=lambda reader: reader.manifest.ordinal))
        for segments in found.values()
    ]
    return sorted(
        made, key=lambda recording: (recording.started_at, recording.segments[0].manifest.recording)
    )


def _shares(counts: list[int], limit: int) -> list[int]:
    """Return how many acts of each recording are shown: what small ones leave goes to the larger.

    >>> _shares([1, 10, 10], 9)
    [1, 4, 4]
    """
    shares = [0] * len(counts)
    for waiting, place in enumerate(sorted(range(len(counts)), key=lambda place: counts[place])):
        share = limit // (len(counts) - waiting)
        shares[place] = min(counts[place], share)
        limit -= shares[place]
    return shares


def _shot(reader: RecordingReader, action: Action, begins: int) -> Shot:
    tree = frame = None
    if action.before is not None:
        version = reader.version(action.before)
        tree = None if version.tree is None else reader.tree(version.tree)
        frame = None if version.frame is None else reader.frame(version.frame)
    return Shot(
        action=action,
        at_ms=begins + action.at_ms,
        tree=tree,
        frame=frame,
        said=sentence(action, tree),
        is_redacted=reader.manifest.redaction is not None,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
