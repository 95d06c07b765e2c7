"""Writes a raw file while a recorder runs: events in small sealed chunks, trees and frames each in their own.

Rules

* A chunk reaches the file in one write, whole, sealed. ``flush`` writes what is pending; a crash loses no
  more.
* What the rules forbid is refused before it is sealed: a key inside a secure span never gets that far.
* The file is made readable by its owner only by whoever opens it; this module only writes.
"""

from typing import Protocol

from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.body import (
    HEADER,
    MAGIC,
    VERSION,
    Body,
    ChunkKind,
    ChunkSealer,
    Start,
    frame_content,
    seal_body,
    totals_content,
    tree_content,
)
from understudy.formats.raw.bounds import MAX_CHUNKS, MAX_EVENTS_IN_CHUNK, MAX_RAW_BYTES, MAX_SPAN_MS
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.events import Event, FrameComplete, TreeComplete, elapsed, pack
from understudy.formats.raw.rules import Progress
from understudy.formats.spelling import refit, spell
from understudy.sealing.errors import FormatError


class Writable(Protocol):
    """Where the bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take ``data``."""
        ...


class RawWriter:
    """Writes one raw file.

    Args:
        file: takes bytes in order; a file opened unbuffered, in practice.
        sealer: the run's key.
        start: what the file belongs to.

    Raises:
        RawError: the start breaks a bound of its type.
    """

    def __init__(self, file: Writable, sealer: ChunkSealer, start: Start) -> None:
        try:
            refit(start)
        except FormatError as error:
            raise RawError(RawCode.MALFORMED, "not a start") from error
        self._file = file
        self._sealer = sealer
        self._start = start
        self._progress = Progress()
        self._pending: list[Event] = []
        self._chunks = 0
        self._written = HEADER.size
        self._file.write(HEADER.pack(MAGIC, VERSION, bytes(6)))
        self._append(ChunkKind.START, 1, start.server_ms, spell(start))

    def add(self, event: Event) -> None:
        """Take an event; it is written with its chunk.

        Raises:
            RawError: a rule of events is broken; nothing of the event is kept.
        """
        pack((event,), event.time)  # a number that does not fit is refused here, not when the chunk closes
        self._progress.admit(event)
        is_long = self._pending and elapsed(self._pending[0].time, event.time) > MAX_SPAN_MS
        if is_long or len(self._pending) == MAX_EVENTS_IN_CHUNK:
            self.flush()
        self._pending.append(event)

    def add_tree(self, tree: ElementTree, time: int) -> int:
        """Write a tree that was complete at ``time``, note its completion, and return its number.

        Raises:
            RawError: a rule of trees is broken.
        """
        self._append(ChunkKind.TREE, 1, time, tree_content(tree))
        number = self._progress.add_tree(tree)
        self.add(TreeComplete(time=time, tree=number))
        return number

    def add_frame(self, frame: PlacedPicture, time: int) -> int:
        """Write a frame that was grabbed at ``time``, note its completion, and return its number.

        Raises:
            RawError: ``frame-malformed``.
        """
        self._append(ChunkKind.FRAME, 1, time, frame_content(frame, self._start.screen))
        number = self._progress.add_frame()
        self.add(FrameComplete(time=time, frame=number))
        return number

    def flush(self) -> None:
        """Write the events that are pending."""
        if self._pending:
            events = self._pending
            base = events[0].time
            self._append(ChunkKind.EVENTS, len(events), base, pack(events, base))
            self._pending = []

    def finish(self) -> None:
        """Write what is pending, and the end."""
        self.flush()
        self._append(ChunkKind.END, 1, 0, totals_content(self._progress.totals))

    def _append(self, kind: ChunkKind, count: int, base: int, content: bytes) -> None:
        if not 0 <= base < 1 << 32:
            raise RawError(RawCode.MALFORMED, "a server time that does not fit 32 bits")
        body = Body(kind=kind, count=count, base=base, content=content)
        sealed = seal_body(self._sealer, self._chunks, body)
        self._chunks += 1
        self._written += len(sealed)
        if self._chunks > MAX_CHUNKS or self._written > MAX_RAW_BYTES:
            raise RawError(RawCode.TOO_LARGE, "a raw file over its bounds", hint="start another raw file")
        self._file.write(sealed)
