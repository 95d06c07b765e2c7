"""One running recording: from the raw files of capture to redacted segments that are held.

Rules

* ``take`` does everything, every few seconds: read what is new, make actions of it, redact, hold. Nothing
  reaches the held store that the redactor has not returned.
* The running segment is held as if it ended in a gap of ``redact_seconds``. So a recorder that is killed at
  any moment leaves a recording that says what is missing. The next ``take`` replaces it; only the end of a
  recording ends without that gap.
* What is not decided yet, a run of typing above all, is held as far as it has come. It is redacted by a fork
  of the redactor: a word half typed must not be known as a whole one. The next ``take`` forgets it.
* A stretch is redacted when it is decided, and again, with all before it, when something in a later one makes
  an entity known: what was held earlier is opened, redacted again and replaced.
* What cannot be redacted is not held: a gap stands there. ``TOO_MANY_FAILURES`` in a row end the session.
* A raw file that has been read to its end is deleted; the last one when recording stops, be it for a pause.

Times are milliseconds since the recording began, on the monotonic clock, unless a name says otherwise.

Example: see ``recorder.session``, which owns the only instance.
"""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Final

from msgspec.structs import replace

from understudy.consent.programme import Delays
from understudy.formats.raw.events import CLOCK
from understudy.formats.recording.assembly import SCOPE_MS, Assembler
from understudy.formats.recording.edit import cut
from understudy.formats.recording.gaps import Gap, united
from understudy.formats.recording.joining import joined
from understudy.formats.recording.manifest import DEFAULT_GRID_MS, Manifest, Outcome
from understudy.formats.recording.stretch import Stretch
from understudy.formats.source import RandomAccess
from understudy.recorder.errors import FailedRedactionError
from understudy.recorder.held import HeldRecording, HeldSegment, HeldStore
from understudy.recorder.leases import LeaseKeeper
from understudy.recorder.payload import FrameCache, manifest_of, payload_of, stretch_of
from understudy.recorder.pieces import About, Piece, Preview, Source, Tally, counted
from understudy.recorder.rawfiles import RawFiles
from understudy.recorder.streams import only, with_few_frames
from understudy.redaction.errors import RedactionError, SpecialCategory
from understudy.redaction.redactor import Redactor
from understudy.sealing.signing import document_hash

TOO_MANY_FAILURES: Final = 3
FRAMES_AN_HOUR: Final = 600
EARLY_SECONDS: Final = 2
"""How much sooner than ``redact_seconds`` a round begins, so that it is held by then."""
_HOUR_MS: Final = 3_600_000
_SECOND_MS: Final = 1_000


class RunningRecording:
    """What is being recorded.

    Args:
        about: what it is of.
        server_ms: its beginning on the display server's clock.
        raw: where the raw files are.
        redactor: with a key of its own; it dies with the recording.
        held: where segments go.
        keeper: has the leases that cover them.
        delays: of the programme.
    """

    def __init__(
        self,
        about: About,
        *,
        server_ms: int,
        raw: RawFiles,
        redactor: Redactor,
        held: HeldStore,
        keeper: LeaseKeeper,
        delays: Delays,
    ) -> None:
        self.about: Final = about
        self._raw: Final = raw
        self._redactor: Final = redactor
        self._held: Final = held
        self._keeper: Final = keeper
        self._delays: Final = delays
        self._cache: Final = FrameCache()
        self._sources: list[Source] = []
        self._assembler: Assembler | None = None
        self._events = 0
        self._anchor: Final = server_ms
        self._known = 0
        """Up to the last event that was read."""
        self._taken = 0
        """Up to here stretches were taken from the assembler."""
        self._pieces: list[Piece] = [Piece(0, 0)]
        self._stored: HeldRecording | None = None
        self._failures = 0
        self._failed_with = ""
        self._outcome = Outcome.UNKNOWN

    @property
    def tally(self) -> Tally:
        """What has been held so far."""
        total = sum((piece.tally for piece in self._pieces), Tally())
        segments = len(self._stored.segments) if self._stored else 0
        return replace(total, events=self._events, segments=segments)

    @property
    def is_running(self) -> bool:
        """Whether there is a segment that goes on."""
        return bool(self._pieces) and self._pieces[-1].ends is None

    def attach(self, name: str) -> None:
        """Read a new raw file after the ones before it, which capture finishes."""
        self._sources.append(Source(self._raw, name))

    def go_on(self, at_ms: int) -> None:
        """Note that it is recorded again from ``at_ms`` on."""
        if not self.is_running:
            last = self._pieces[-1].ends if self._pieces else 0
            self._open(max(_down(at_ms), last or 0, self._taken))

    def take(self, until_ms: int, *, permitted_until: int) -> None:
        """Read what capture wrote, redact it and hold it; it goes on.

        Args:
            until_ms: everything before it that was recorded is in the raw file.
            permitted_until: when the newest lease ends, in seconds UTC.

        Raises:
            FailedRedactionError: redaction has failed ``TOO_MANY_FAILURES`` times in a row; a gap is held.
            HeldError, DurabilityError: it cannot be held.
            RawError: a raw file is damaged.
        """
        self._read()
        if not self.is_running:
            return
        decided = until_ms
        if self._assembler is not None:
            decided = self._assembler.settle(until_ms)
        self._cut_segments(_down(decided))
        self._take_stretch(_down(decided))
        # A click of the last moment may turn out to be one on a window that is not recorded.
        known = max(self._taken, _down(until_ms - SCOPE_MS))
        self._preview(known)
        self._hold(self._end_until_next(known, until_ms, permitted_until), is_open=True)

    def interrupt(self, until_ms: int) -> None:
        """As ``take``, but nothing is recorded after ``until_ms`` for now: the segment ends, in a gap.

        All that was captured is held then, and the raw files are deleted: a pause may be long.
        """
        self._read()
        if self.is_running:
            self._close(until_ms, _up(until_ms) + _SECOND_MS)
            self._hold(0, is_open=True)
        self.retire()

    def finish(self, until_ms: int, outcome: Outcome) -> None:
        """As ``take``, but the recording ends at ``until_ms``, and is closed when this returns."""
        self._outcome = outcome
        self._read()
        if self.is_running:
            self._close(until_ms, max(_up(until_ms), self._pieces[-1].begins + _SECOND_MS))
        self._hold(0, is_open=False)

    def lose(self, now_ms: int) -> None:
        """As ``finish``, but capture is gone: from the last event that it wrote until now there is a gap."""
        self._read()
        if self.is_running:
            known = max(self._known, self._taken, self._pieces[-1].begins)
            self._close(known, max(_up(now_ms), _up(known) + _SECOND_MS))
        self._hold(0, is_open=False)

    def forget(self, from_ms: int, at_ms: int) -> None:
        """Drop everything since ``from_ms``: raw files, what was made of them, held content. A gap stays.

        Whoever calls attaches a new raw file, and says when it goes on.

        Raises:
            HeldError, DurabilityError: what is held cannot be replaced; it is as it was.
        """
        self.retire()
        self._assembler = None
        if self.is_running:
            piece = self._pieces[-1]
            piece.ends = max(_up(at_ms), piece.begins + _SECOND_MS)
            self._add_gap(piece, min(self._taken, piece.ends - _SECOND_MS), piece.ends)
            self._taken = piece.ends
            self._hold(0, is_open=True)
        name, start = self.about.recording, self.about.started_at * _SECOND_MS
        if self._stored is not None:
            payloads = self._held.payloads(name)
            openers = [_opener(payloads[segment.segment]) for segment in self._stored.segments]
            edits = cut(openers, start + max(0, from_ms), start + _up(at_ms) + _HOUR_MS)
            self._replace({edit.place: edit.payload for edit in edits})
        kept = {segment.segment for segment in self._stored.segments} if self._stored else set()
        self._pieces = [piece for piece in self._pieces if piece.segment in kept]
        for piece in self._pieces:
            piece.is_held = True
            piece.stretches.clear()

    def retire(self) -> None:
        """Delete the raw files; whatever else is told comes from new ones. Idempotent."""
        while self._sources:
            self._sources.pop().retire()
        if self._assembler is not None:
            self._assembler.turn()

    # Reading, and making stretches.

    def _read(self) -> None:
        """Feed what is new; a file that is followed by another and read to its end is deleted."""
        while self._sources:
            source = self._sources[0]
            reader = source.reader
            if reader is None:
                return
            if self._assembler is None:
                self._assembler = Assembler(reader.start, grid_ms=DEFAULT_GRID_MS)
            for item in reader.items():
                self._assembler.feed(item)
                if isinstance(item, tuple):
                    self._events += len(item)
                    self._known = (item[-1].time - self._anchor) % CLOCK
            if len(self._sources) == 1 or not (reader.is_finished or self._sources[1].reader):
                return
            self._sources.pop(0).retire()
            self._assembler.turn()

    def _open(self, begins: int) -> None:
        ordinal = self._pieces[-1].ordinal + 1 if self._pieces else 0
        self._pieces.append(Piece(ordinal, begins))
        self._taken = max(self._taken, begins)

    def _cut_segments(self, decided: int) -> None:
        """End each segment that is as long as it may be."""
        length = self._delays.segment_seconds * _SECOND_MS
        while decided > (border := self._pieces[-1].begins + length):
            self._take_stretch(border)
            self._pieces[-1].ends = border
            self._open(border)

    def _close(self, known_ms: int, ends: int) -> None:
        """End the running segment at ``ends``; what is after ``known_ms`` is missing, if that is earlier."""
        if self._assembler is not None:
            self._assembler.settle(None)
        self._cut_segments(_up(known_ms))
        piece = self._pieces[-1]
        known = max(_up(known_ms), piece.begins)
        self._take_stretch(known)
        piece.ends = max(ends, piece.begins + _SECOND_MS)
        if piece.ends > known:
            self._add_gap(piece, known, piece.ends)
        self._taken = max(self._taken, piece.ends)

    def _take_stretch(self, to_ms: int) -> None:
        """Take what is decided of the running segment up to ``to_ms``, and redact it."""
        piece, begins = self._pieces[-1], self._taken
        if self._assembler is None or to_ms <= begins:
            return
        stretch = self._assembler.stretch(begins, to_ms)
        self._taken = to_ms
        if piece.is_dropped or stretch == Stretch():
            return
        try:
            stretch = only(stretch, self.about.streams)
            stretch = with_few_frames(stretch, self._frames_left(piece))
            instruction = self.about.instruction or ""
            if self._redactor.learn(stretch, instruction=instruction, title=self.about.title):
                self._reach_back()
            redacted = self._redactor.redact(stretch)
        except SpecialCategory:
            piece.drop()
            return
        except Exception as error:  # noqa: BLE001 - fail closed: a defect must not leave anything unredacted
            self._add_gap(piece, begins, to_ms)
            self._count_failure(error)
            return
        self._failures = 0
        piece.spans += redacted.spans
        piece.stretches.append((begins - piece.begins, redacted.stretch))

    def _preview(self, to_ms: int) -> None:
        """Look ahead from what was taken to ``to_ms``; what cannot be redacted is missing for now."""
        piece, begins = self._pieces[-1], self._taken
        if self._assembler is None or piece.is_dropped or to_ms <= begins:
            return
        stretch = only(self._assembler.preview(begins, to_ms), self.about.streams)
        stretch = with_few_frames(stretch, self._frames_left(piece))
        try:
            fork = self._redactor.fork()
            fork.learn(stretch)
            redacted = fork.redact(stretch).stretch
        except Exception:  # noqa: BLE001 - fail closed; if it is a failure, it is counted when it is taken
            return
        piece.preview = Preview(begins - piece.begins, to_ms - piece.begins, redacted)

    def _add_gap(self, piece: Piece, from_ms: int, to_ms: int) -> None:
        gap = Gap(from_ms=from_ms - piece.begins, to_ms=to_ms - piece.begins)
        piece.stretches.append((0, Stretch(gaps=(gap,))))

    def _frames_left(self, piece: Piece) -> int:
        """Return how many frames the segment may still get: so many an hour, over the hour before it ends."""
        since = piece.begins - _HOUR_MS
        others = (other for other in self._pieces if other is not piece and other.begins >= since)
        spent = sum(other.tally.frames for other in others)
        return max(0, FRAMES_AN_HOUR - spent - sum(len(stretch.frames) for _, stretch in piece.stretches))

    def _reach_back(self) -> None:
        """Redact again what was redacted before the redactor knew what it knows now."""
        changed: dict[int, bytes | None] = {}
        for place, segment in enumerate(self._stored.segments if self._stored else ()):
            piece = self._piece_of(segment)
            if piece.is_held:
                payload = self._redacted_again(piece)
                if payload is not None:
                    changed[place] = payload
        for piece in self._pieces:
            try:
                again = [(begins, self._redactor.redact(stretch)) for begins, stretch in piece.stretches]
            except SpecialCategory:
                piece.drop()
                continue
            piece.spans += sum(redacted.spans for _, redacted in again)
            piece.stretches = [(begins, redacted.stretch) for begins, redacted in again]
        if changed:
            self._replace(changed)

    def _redacted_again(self, piece: Piece) -> bytes | None:
        """Return a held segment's file as it is redacted now, or None where that changes nothing."""
        before = self._held.payload(self.about.recording, piece.segment)
        manifest, stretch = manifest_of(before), stretch_of(before)
        try:
            redacted = self._redactor.redact(stretch)
        except RedactionError:
            piece.tally = Tally()
            return self._nothing(piece, piece.ends or piece.begins)
        texts = self._manifest(piece, piece.ends or piece.begins)
        again = replace(manifest, title=texts.title, instruction=texts.instruction)
        if redacted.stretch == stretch and again == manifest:
            return None
        piece.tally = replace(piece.tally, spans=piece.tally.spans + redacted.spans)
        return payload_of(redacted.stretch, again, encoder=self._cache)

    def _count_failure(self, error: Exception) -> None:
        self._failures += 1
        self._failed_with = type(error).__name__

    # Holding.

    def _end_until_next(self, known: int, until_ms: int, permitted_until: int) -> int:
        """Return where the running segment is said to end until the next ``take``."""
        ends = known + self._delays.redact_seconds * _SECOND_MS
        permitted = (permitted_until - self.about.started_at) * _SECOND_MS
        return max(min(ends, permitted), _up(until_ms), self._pieces[-1].begins + _SECOND_MS)

    def _hold(self, running_ends: int, *, is_open: bool) -> None:
        """Write the segments that are not held as they end, and the list of all."""
        self._cache.next_round()
        changed: dict[str, bytes] = {}
        segments = []
        known = {segment.segment: segment for segment in self._stored.segments} if self._stored else {}
        for piece in self._pieces:
            if piece.is_held:
                segments.append(known[piece.segment])
                continue
            ends = running_ends if piece.ends is None else piece.ends
            changed[piece.segment] = self._payload(piece, ends)
            segments.append(self._segment(piece, ends))
        if segments and (changed or not is_open):
            self._put(segments, changed, is_open=is_open)
        for piece in self._pieces:
            if piece.ends is not None and not piece.is_held:
                piece.is_held = True
                piece.stretches.clear()
        if self._failures >= TOO_MANY_FAILURES:
            raise FailedRedactionError(
                f"redaction fails ({self._failed_with}): nothing of the last stretches was kept",
                hint="what was held before is as it was; the recording ends in a gap",
            )

    def _payload(self, piece: Piece, ends: int) -> bytes:
        """Return the segment's file, its missing end a gap; if it cannot be written, all of it is a gap."""
        if piece.is_dropped:
            piece.tally = Tally()
            return self._nothing(piece, ends)
        stretches = list(piece.stretches)
        if piece.ends is None:
            known = max(0, self._taken - piece.begins)
            if piece.preview is not None:
                stretches.append((piece.preview.begins, piece.preview.stretch))
                known = piece.preview.ends
            missing = Gap(from_ms=known, to_ms=ends - piece.begins)
            stretches.append((0, Stretch(gaps=united((missing,)))))
            piece.preview = None
        whole = joined(stretches)
        try:
            payload = payload_of(whole, self._manifest(piece, ends), encoder=self._cache)
        except Exception as error:  # noqa: BLE001 - fail closed, as above
            self._count_failure(error)
            piece.tally = Tally()
            return self._nothing(piece, ends)
        piece.tally = counted(whole, piece.spans)
        return payload

    def _nothing(self, piece: Piece, ends: int) -> bytes:
        """Return the file of a segment of which nothing is kept."""
        gap = Stretch(gaps=(Gap(from_ms=0, to_ms=ends - piece.begins),))
        return payload_of(gap, self._manifest(piece, ends, is_bare=True))

    def _manifest(self, piece: Piece, ends: int, *, is_bare: bool = False) -> Manifest:
        about = self.about
        is_told = about.instruction is not None and not is_bare
        return Manifest(
            recording=about.recording,
            ordinal=piece.ordinal,
            title="" if is_bare else self._redactor.text(about.title),
            task=about.task,
            application_group=about.group,
            started_at=about.started_at + piece.begins // _SECOND_MS,
            ended_at=about.started_at + ends // _SECOND_MS,
            screen=about.screen,
            source="recorder",
            redaction=self._redactor.stamp,
            instruction=self._redactor.text(about.instruction or "") if is_told else None,
            outcome=self._outcome,
        )

    def _segment(self, piece: Piece, ends: int) -> HeldSegment:
        started_at = self.about.started_at + piece.begins // _SECOND_MS
        ended_at = self.about.started_at + ends // _SECOND_MS
        return HeldSegment(
            segment=piece.segment,
            started_at=started_at,
            ended_at=ended_at,
            salt=piece.salt,
            coverage=self._keeper.coverage(started_at, ended_at),
            redaction=document_hash(self._redactor.stamp),
        )

    def _put(self, segments: list[HeldSegment], changed: dict[str, bytes], *, is_open: bool) -> None:
        self._stored = self._held.put(
            HeldRecording(
                recording=self.about.recording,
                title=self._title(),
                application_group=self.about.group,
                task_label=self.about.task,
                segments=tuple(segments),
                is_open=is_open,
                revision=self._stored.revision if self._stored else 0,
            ),
            changed,
        )

    def _replace(self, payloads: dict[int, bytes | None]) -> None:
        """Replace held segments by place; None takes one away. Without any left, nothing is held."""
        if self._stored is None:
            return
        segments, changed = [], {}
        for place, segment in enumerate(self._stored.segments):
            payload = payloads.get(place, b"")
            if payload:
                changed[segment.segment] = payload
            if payload is not None:
                segments.append(segment)
        if segments:
            self._put(segments, changed, is_open=True)
        else:
            self._held.put(replace(self._stored, is_open=False), {})
            self._held.delete(self.about.recording)
            self._stored = None

    def _title(self) -> str:
        """Return the title for lists, redacted as all else; without redaction there is none."""
        try:
            return self._redactor.text(self.about.title)[:200] or self.about.task
        except Exception:  # noqa: BLE001 - fail closed, as above
            return self.about.task

    def _piece_of(self, segment: HeldSegment) -> Piece:
        return next(piece for piece in self._pieces if piece.segment == segment.segment)


def _opener(payload: bytes) -> Callable[[], AbstractContextManager[RandomAccess]]:
    return lambda: closing(io.BytesIO(payload))


def _down(milliseconds: int) -> int:
    return milliseconds // _SECOND_MS * _SECOND_MS


def _up(milliseconds: int) -> int:
    return -(-milliseconds // _SECOND_MS) * _SECOND_MS
