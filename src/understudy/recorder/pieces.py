"""What a running recording is made of: what it is of, its raw files, its segments, and their count.

Rules

* A source is read as far as capture has written it, and deleted with ``retire``.
* A piece is one segment while it is in memory: redacted stretches only, by where they begin in it. Once it is
  held to its end, they are forgotten.

Times are milliseconds since the recording began.

Example: see ``recorder.running``.
"""

import secrets
from typing import Final, NamedTuple

import msgspec

from understudy.consent.primitives import Value, encode_bytes, new_id
from understudy.consent.purposes import Stream
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.reader import RawReader
from understudy.formats.recording.actions import CLICKS, Drag, Hover, Mark, Scroll
from understudy.formats.recording.stretch import Stretch
from understudy.formats.screen import Screen
from understudy.recorder.rawfiles import RawFiles

_POINTED: Final = (*CLICKS, Hover, Drag, Scroll)


class About(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recording is of; told at its beginning."""

    recording: str
    title: str
    task: str
    instruction: str | None
    group: str
    streams: tuple[Stream, ...]
    screen: Screen
    started_at: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording holds, counted.

    ``pointer_before``: pointer actions whose state before is from before the pointer arrived.
    """

    events: int = 0
    actions: int = 0
    pointer_actions: int = 0
    pointer_before: int = 0
    segments: int = 0
    frames: int = 0
    spans: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class Source:
    """One raw file, as far as it has been read."""

    def __init__(self, raw: RawFiles, name: str) -> None:
        self.is_finished = False
        self._raw: Final = raw
        self._name: Final = name
        self._file = raw.open(name)
        self._reader: RawReader | None = None

    @property
    def reader(self) -> RawReader | None:
        """What reads it; None while capture has not begun with it."""
        if self._reader is None:
            try:
                self._reader = RawReader(self._file, self._raw.key.sealer(self._name))
            except RawError as error:
                if error.code is not RawCode.TRUNCATED:
                    raise
        return self._reader

    def retire(self) -> None:
        """Delete the file. Idempotent."""
        self._file.close()
        self._raw.retire(self._name)


class Preview(NamedTuple):
    """What is not decided yet, redacted, and from where to where of the segment it is told."""

    begins: int
    ends: int
    stretch: Stretch


class Piece:
    """One segment: where it lies, and its stretches, redacted, by where they begin in it."""

    def __init__(self, ordinal: int, begins: int) -> None:
        self.ordinal: Final = ordinal
        self.begins: Final = begins
        self.ends: int | None = None
        """Where it ends; None while it runs."""
        self.segment: Final = new_id("seg")
        self.salt: Final = encode_bytes(secrets.token_bytes(32))
        self.stretches: list[tuple[int, Stretch]] = []
        self.preview: Preview | None = None
        """What comes after the stretches for now; until it is held once."""
        self.spans = 0
        self.is_held = False
        """Whether it is held to its end, and forgotten here."""
        self.is_dropped = False
        """Whether something in it is of a kind that is not kept: then nothing of it is."""
        self.tally = Tally()

    def drop(self) -> None:
        """Keep nothing of it, whatever else comes."""
        self.is_dropped = True
        self.stretches.clear()
        self.preview = None
        self.spans = 0


def counted(stretch: Stretch, spans: int) -> Tally:
    """Return what a segment holds, counted."""
    pointed = [action for action in stretch.actions if isinstance(action, _POINTED)]
    inside = [action for action in pointed if action.before is None or Mark.POINTER_INSIDE in action.marks]
    return Tally(
        actions=len(stretch.actions),
        pointer_actions=len(pointed),
        pointer_before=len(pointed) - len(inside),
        frames=len(stretch.frames),
        spans=spans,
    )
