"""Reads a raw file from front to back, also while it is being written.

Rules

* A chunk is given only when it is whole, opens under its number, and keeps every rule.
* Where the file stops without an end, so does the reader: ``is_finished`` is false, and ``items`` may be
  asked again when more has been written. Whether that is a crash or the present is for the caller to know.

Example: see ``understudy.formats.raw.writer`` and its tests.
"""

from collections.abc import Iterator

from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.body import (
    HEADER,
    LENGTH,
    MAGIC,
    VERSION,
    Body,
    ChunkKind,
    ChunkSealer,
    Totals,
    frame_in,
    start_in,
    take_apart,
    totals_in,
    tree_in,
)
from understudy.formats.raw.bounds import MAX_CHUNKS, MAX_SEALED_BYTES
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.events import Event, unpack
from understudy.formats.raw.rules import Progress
from understudy.formats.source import RandomAccess, read_at
from understudy.sealing.errors import UnderstudyError

Item = tuple[Event, ...] | ElementTree | PlacedPicture


class RawReader:
    """One raw file, opened.

    Args:
        source: the file.
        sealer: the run's key.

    Raises:
        RawError: header or start break a rule, or are not there.
    """

    def __init__(self, source: RandomAccess, sealer: ChunkSealer) -> None:
        self._source = source
        self._sealer = sealer
        self._offset = HEADER.size
        self._number = 0
        self._progress = Progress()
        self.is_finished = False
        self._check_header()
        first = self._next_body()
        if first is None:
            raise RawError(RawCode.TRUNCATED, "a file without a start")
        self.start = start_in(first.content)

    @property
    def totals(self) -> Totals:
        """How much has been read so far."""
        return self._progress.totals

    def items(self) -> Iterator[Item]:
        """Yield chunk by chunk: a tuple of events, a tree, or a frame.

        Raises:
            RawError: a chunk breaks a rule; what was given before is good.
        """
        while not self.is_finished:
            body = self._next_body()
            if body is None:
                return
            match body.kind:
                case ChunkKind.END:
                    self._finish(body)
                case ChunkKind.TREE:
                    tree = tree_in(body.content)
                    self._progress.add_tree(tree)
                    yield tree
                case ChunkKind.FRAME:
                    frame = frame_in(body.content, self.start.screen)
                    self._progress.add_frame()
                    yield frame
                case _:
                    events = unpack(body.content, body.base)
                    for event in events:
                        self._progress.admit(event)
                    yield events

    def _check_header(self) -> None:
        raw = read_at(self._source, 0, HEADER.size)
        if not MAGIC.startswith(raw[: len(MAGIC)]):
            raise RawError(RawCode.BAD_MAGIC, "not a raw file")
        if len(raw) < HEADER.size:
            raise RawError(RawCode.TRUNCATED, "a file that ends in its header")
        _, version, reserved = HEADER.unpack(raw)
        if version != VERSION:
            raise RawError(RawCode.UNKNOWN_VERSION, f"raw format version {version}")
        if any(reserved):
            raise RawError(RawCode.BAD_HEADER, "reserved bytes are not zero")

    def _next_body(self) -> Body | None:
        """Return the next whole chunk, or None where the file ends before its end."""
        raw_length = read_at(self._source, self._offset, LENGTH.size)
        if len(raw_length) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack(raw_length)
        if length > MAX_SEALED_BYTES:
            raise RawError(RawCode.CHUNK_TOO_LARGE, f"a sealed chunk of {length} bytes")
        if self._number >= MAX_CHUNKS:
            raise RawError(RawCode.TOO_LARGE, f"over {MAX_CHUNKS} chunks")
        sealed = read_at(self._source, self._offset + LENGTH.size, length)
        if len(sealed) < length:
            return None
        try:
            opened = self._sealer.open(self._number, sealed)
        except UnderstudyError as error:
            raise RawError(RawCode.BAD_SEAL, f"chunk {self._number} does not open") from error
        body = take_apart(opened, self._number)
        self._offset += LENGTH.size + length
        self._number += 1
        return body

    def _finish(self, body: Body) -> None:
        if totals_in(body.content) != self._progress.totals:
            raise RawError(RawCode.COUNT_MISMATCH, "the end counts other than the file holds")
        if read_at(self._source, self._offset, 1):
            raise RawError(RawCode.AFTER_END, "something follows the end")
        self.is_finished = True
