"""Review: what is held, what was done in it, and taking out what should not be shared.

Rules

* Nothing here leaves the device, and nothing is changed by looking.
* A recording that is being recorded can be looked at, and neither cut, shared nor deleted: its recorder would
  write on. Forgetting reaches it through the recorder itself.
* A cut is planned before it is made. The plan says what would go; making it fails if the recording has been
  changed since.
* Times are seconds since the recording began, in plans and lists alike; gaps are shown as such.

Example::

    plan = plan_cut(held, recording, 10.0, 25.0)
    plan.removed, plan.apply(held)
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from math import ceil, floor
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from understudy.consent.errors import RefusedError, UnderstudyError
from understudy.consent.primitives import Value
from understudy.formats.recording.actions import Mark, act_of
from understudy.formats.recording.edit import Edit, Opener, Removed, cut
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.words import sentence
from understudy.formats.source import RandomAccess
from understudy.recorder.errors import HeldError
from understudy.recorder.held import HeldRecording, HeldStore

STILL_RECORDING: Final = "still-recording"
_MS: Final = 1_000


class Listed(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One held recording in the list. ``held_until`` is null while it is open: the hold begins at its end."""

    recording: str
    title: str
    application_group: str
    task: str
    started_at: int
    ended_at: int
    segments: int
    actions: int
    is_open: bool
    held_until: int | None


class Step(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happened, ``at_ms`` since the recording began; or a gap, from there to ``to_ms``."""

    kind: Literal["action", "gap"]
    at_ms: int
    said: str
    segment: str
    act: str | None = None
    to_ms: int | None = None
    marks: tuple[Mark, ...] = ()


class CutPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a cut would do to one recording."""

    recording: HeldRecording
    edits: tuple[Edit, ...]

    @property
    def removed(self) -> Removed:
        """What would go."""
        return sum((edit.removed for edit in self.edits), Removed())

    @property
    def leaves_nothing(self) -> bool:
        """Whether the whole recording would go."""
        gone = sum(1 for edit in self.edits if edit.payload is None)
        return gone == len(self.recording.segments)

    def apply(self, held: HeldStore) -> HeldRecording | None:
        """Make the cut; return the recording as it is then held, or None if nothing is left of it.

        Raises:
            HeldError: the recording was changed or removed since the plan was made.
            DurabilityError: it could not be written; the recording is as it was.
        """
        if not self.edits:
            return self.recording
        if self.leaves_nothing:
            held.delete(self.recording.recording)
            return None
        after = {edit.place: edit.payload for edit in self.edits}
        segments = self.recording.segments
        left = [segment for place, segment in enumerate(segments) if after.get(place, b"") is not None]
        changed = {
            segments[place].segment: payload for place, payload in after.items() if payload is not None
        }
        return held.put(replace(self.recording, segments=tuple(left)), changed)


def listed(held: HeldStore, recording: HeldRecording, hold_seconds: int) -> Listed:
    """Return a recording as the list shows it.

    Raises:
        HeldError, SealError, RecordingError: it was removed meanwhile, or is damaged.
    """
    actions = 0
    for segment in recording.segments:
        with held.opened(recording.recording, segment.segment) as source:
            actions += RecordingReader(source).count(Kind.ACTIONS)
    return Listed(
        recording=recording.recording,
        title=recording.title,
        application_group=recording.application_group,
        task=recording.task_label,
        started_at=recording.started_at,
        ended_at=recording.ended_at,
        segments=len(recording.segments),
        actions=actions,
        is_open=recording.is_open,
        held_until=None if recording.is_open else recording.ended_at + hold_seconds,
    )


def steps(held: HeldStore, recording: HeldRecording) -> Iterator[Step]:
    """Yield what happened in a recording, in order of time; raises as ``listed``."""
    ended_at = recording.started_at
    for segment in recording.segments:
        begins = (segment.started_at - recording.started_at) * _MS
        if segment.started_at > ended_at:
            yield _gap((ended_at - recording.started_at) * _MS, begins, segment.segment)
        ended_at = segment.ended_at
        with held.opened(recording.recording, segment.segment) as source:
            reader = RecordingReader(source)
            found = [*_actions(reader, begins, segment.segment), *_gaps(reader, begins, segment.segment)]
        yield from sorted(found, key=lambda step: step.at_ms)


def is_due(recording: HeldRecording, hold_seconds: int, now: int) -> bool:
    """Return whether the programme's hold time has passed since the recording ended."""
    return not recording.is_open and recording.ended_at + hold_seconds <= now


def require_closed(recording: HeldRecording) -> None:
    """Refuse to change a recording that is being recorded.

    Raises:
        RefusedError: ``still-recording``.
    """
    if recording.is_open:
        raise RefusedError(STILL_RECORDING, hint="stop the recorder first, then look again")


def plan_cut(held: HeldStore, recording: HeldRecording, from_s: float, to_s: float) -> CutPlan:
    """Return what cutting the stretch would do, without doing it.

    Args:
        held: where the recording is.
        recording: as it is held now.
        from_s: begin of the stretch, in seconds since the recording began; rounded down to the grid.
        to_s: its end, rounded up.

    Raises:
        RefusedError: ``still-recording``.
        HeldError, SealError, RecordingError: it was removed meanwhile, or is damaged.
    """
    require_closed(recording)
    start = recording.started_at * _MS
    return _plan(held, recording, start + floor(from_s * _MS), start + ceil(to_s * _MS))


def plan_forget(held: HeldStore, recording: HeldRecording, since: int) -> CutPlan:
    """Return what forgetting everything from ``since`` (seconds UTC) on would do; raises as ``plan_cut``."""
    require_closed(recording)
    return _plan(held, recording, since * _MS, recording.ended_at * _MS + 1)


def forget_since(held: HeldStore, since: int) -> list[CutPlan]:
    """Forget everything that was recorded from ``since`` (seconds UTC) on; return what went, by recording.

    What a living process is recording is left out: it has to be told itself. What cannot be forgotten does
    not hold up the rest; the first such problem is raised at the end.

    Raises:
        HeldError, SealError, RecordingError: a recording was changed meanwhile, or is damaged.
        DurabilityError: something could not be written.
    """
    made: list[CutPlan] = []
    problem: UnderstudyError | None = None
    for name in held.names():
        try:
            recording = held.recording(name)
            if not recording.is_open:
                plan = plan_forget(held, recording, since)
                plan.apply(held)
                made.append(plan)
        except UnderstudyError as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return [plan for plan in made if plan.edits]


def _plan(held: HeldStore, recording: HeldRecording, from_ms: int, to_ms: int) -> CutPlan:
    names = [segment.segment for segment in recording.segments]
    openers: list[Opener] = [partial(_opened, held, recording.recording, name) for name in names]
    try:
        edits = tuple(cut(openers, from_ms, to_ms))
    except HeldError as error:
        raise HeldError("the recording was changed or removed meanwhile", hint=error.hint) from error
    return CutPlan(recording=recording, edits=edits)


def _opened(held: HeldStore, name: str, segment: str) -> AbstractContextManager[RandomAccess]:
    return held.opened(name, segment)


def _actions(reader: RecordingReader, begins: int, segment: str) -> Iterator[Step]:
    for action in reader.actions():
        tree = None
        if action.before is not None:
            number = reader.version(action.before).tree
            tree = None if number is None else reader.tree(number)
        yield Step(
            kind="action",
            at_ms=begins + action.at_ms,
            said=sentence(action, tree),
            segment=segment,
            act=act_of(action),
            marks=action.marks,
        )


def _gaps(reader: RecordingReader, begins: int, segment: str) -> Iterator[Step]:
    for gap in reader.gaps():
        yield _gap(begins + gap.from_ms, begins + gap.to_ms, segment)


def _gap(from_ms: int, to_ms: int, segment: str) -> Step:
    said = f"something is missing here, {(to_ms - from_ms) / _MS:g} s long"
    return Step(kind="gap", at_ms=from_ms, to_ms=to_ms, said=said, segment=segment)
