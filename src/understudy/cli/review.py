"""``understudy review``: look at what is held, cut it, delete it, share it, forget the last minutes."""

import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from understudy.cli.connect import DEFAULT_DEVICE, DEFAULT_SERVER, DeviceHome, ServerUrl, connect, open_device
from understudy.cli.output import Json, emit, moment, progress_bar, remark, write_clear
from understudy.consent.clock import SystemClock
from understudy.consent.errors import RefusedError, UnavailableError, UnderstudyError
from understudy.formats.recording.edit import Removed
from understudy.formats.recording.words import time_words, visible
from understudy.formats.sheet.sheet import contact_sheet
from understudy.recorder.control import SOCKET_NAME, ControlClient
from understudy.recorder.device import Device
from understudy.recorder.errors import ControlError
from understudy.recorder.held import HeldRecording, HeldStore
from understudy.recorder.outbox import Outbox, OutboxEntry
from understudy.recorder.review import (
    STILL_RECORDING,
    CutPlan,
    Listed,
    forget_since,
    is_due,
    listed,
    plan_cut,
    require_closed,
    steps,
)
from understudy.sealing.errors import FormatError, SealError

app = App(name="review", help="What is held on this device: look at it, cut it, delete it, share it.")

RecordingName = Annotated[
    str, Parameter(help="Which; `understudy review list` shows them.", allow_leading_hyphen=True)
]
Yes = Annotated[bool, Parameter(negative="", help="Really do it; without, only say what would be done.")]
All = Annotated[bool, Parameter(name="--all", negative="", help="All that are held.")]
MINUTE_SECONDS: Final = 60
MAX_OPEN: Final = 400
"""Segments on one sheet: files open at the same time."""


@app.command(name="list")
def list_(*, device: DeviceHome = DEFAULT_DEVICE, json: Json = False) -> None:
    """List what is held here, until when, and what is in the outbox."""
    here = open_device(device)
    held = _store(here)
    hold = here.document.delays.hold_seconds
    shown, damaged = [], []
    for name in held.names():
        try:
            shown.append(listed(held, held.recording(name), hold))
        except (SealError, FormatError):  # the others can be looked at all the same
            damaged.append(name)
    shown.sort(key=lambda item: item.started_at)
    waiting = Outbox(here).entries()
    now = SystemClock().now()
    lines = [line for item in shown for line in _item_lines(item, now)]
    lines += [f"{name}\n  damaged, or not yours: it can only be deleted" for name in damaged]
    lines = lines or ["nothing is held"]
    emit(
        {"held": shown, "damaged": damaged, "outbox": waiting},
        "\n".join([*lines, "", _outbox_line(waiting)]),
        as_json=json,
    )


@app.command
def show(
    recording: RecordingName,
    *,
    sheet: Annotated[
        Path | None, Parameter(help="Also write a contact sheet of it, in clear, to this PNG file.")
    ] = None,
    device: DeviceHome = DEFAULT_DEVICE,
    json: Json = False,
) -> None:
    """Show what was done in a held recording, what is left out or replaced, and where there are gaps."""
    held = _store(open_device(device))
    found = held.recording(recording)
    length = _duration(found.ended_at - found.started_at)
    lines = [visible(found.title, 200), f"{moment(found.started_at)}, {length}", ""]
    told = list(steps(held, found))
    lines += [f"{time_words(step.at_ms):>7}  {step.said}" for step in told]
    if not told:
        lines.append("nothing was done in it")
    if sheet is not None:
        with ExitStack() as stack:
            opened = [
                stack.enter_context(held.opened(recording, part.segment))
                for part in found.segments[:MAX_OPEN]
            ]
            png = contact_sheet(opened)
        write_clear(sheet, png)
        remark(f"wrote {sheet}, in clear: delete it when you have looked at it")
    emit({"recording": found.recording, "title": found.title, "steps": told}, "\n".join(lines), as_json=json)


@app.command
def cut(
    recording: RecordingName,
    *,
    from_: Annotated[float, Parameter(name="--from", help="Begin, in seconds since the recording began.")],
    to: Annotated[float, Parameter(help="End, in seconds since the recording began.")],
    yes: Yes = False,
    device: DeviceHome = DEFAULT_DEVICE,
    json: Json = False,
) -> None:
    """Cut a stretch out of a held recording: its actions, and what the screen showed. A gap stays."""
    if not 0 <= from_ < to:
        raise UnderstudyError("a stretch begins before it ends, and not before the recording")
    held = _store(open_device(device))
    plan = plan_cut(held, held.recording(recording), from_, to)
    done = yes and bool(plan.edits)
    if done:
        plan.apply(held)
    emit(
        {"recording": recording, "removed": plan.removed, "deleted": plan.leaves_nothing, "done": done},
        _cut_line(plan, is_done=done),
        as_json=json,
    )


@app.command
def delete(
    *recordings: RecordingName,
    all_: All = False,
    yes: Yes = False,
    device: DeviceHome = DEFAULT_DEVICE,
    json: Json = False,
) -> None:
    """Delete held recordings. They were never anywhere else."""
    held = _store(open_device(device))
    names = _chosen(recordings, held.names() if all_ else None)
    for name in set(names) - set(held.names()):
        held.recording(name)  # raises: there is none
    for name in [name for name in names if held.is_running(name)]:
        if not all_:
            raise RefusedError(STILL_RECORDING, hint="stop the recorder first, then look again")
        names.remove(name)
        remark(f"left out {name}: it is being recorded")
    if yes:
        for name in names:
            held.delete(name)
    said = "deleted" if yes else "would delete, with --yes"
    lines = [f"{said}:", *(f"  {name}" for name in names)] if names else ["nothing is held"]
    emit({"recordings": names, "done": yes}, "\n".join(lines), as_json=json)


@app.command
def share(
    *recordings: RecordingName,
    all_: All = False,
    due: Annotated[bool, Parameter(negative="", help="Those whose hold time has passed.")] = False,
    now: Annotated[
        bool, Parameter(negative="", help="Upload at once instead of after a random delay.")
    ] = False,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Seal held recordings and upload them; this ends their hold. This device cannot read them afterwards."""
    here = open_device(device)
    held, outbox = _store(here), Outbox(here)
    sealed = []
    chosen = _to_share(here, held, outbox, recordings, all_=all_, due=due)
    with progress_bar("sealing") as bar:
        for done, recording in enumerate(chosen, start=1):
            sealed += outbox.seal(held, recording)
            bar(done, len(chosen))
    spread = 0 if now else secrets.randbelow(here.document.delays.upload_spread_seconds + 1)
    if spread and sealed:
        remark(f"sealed; the upload starts in {spread} s (see --now), or later: understudy review send")
        time.sleep(spread)
    _send(outbox, server, as_json=json)


@app.command
def send(
    *, device: DeviceHome = DEFAULT_DEVICE, server: ServerUrl = DEFAULT_SERVER, json: Json = False
) -> None:
    """Upload what is sealed and not yet shared; resumes where an earlier upload ended."""
    _send(Outbox(open_device(device)), server, as_json=json)


@app.command
def discard(
    segment: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    yes: Yes = False,
    device: DeviceHome = DEFAULT_DEVICE,
    json: Json = False,
) -> None:
    """Give up a sealed segment that the server refused, or that was never sent. Nobody can read it then."""
    outbox = Outbox(open_device(device))
    if yes:
        outbox.discard(segment)
    else:
        outbox.check_discard(segment)
    said = f"discarded {segment}" if yes else f"would discard {segment}; repeat with --yes"
    emit({"segment": segment, "done": yes}, said, as_json=json)


@app.command
def forget(
    *,
    minutes: Annotated[int, Parameter(help="How many, back from now.")],
    device: DeviceHome = DEFAULT_DEVICE,
    json: Json = False,
) -> None:
    """Forget the last minutes, at once: cut them out of everything held, and of what is being recorded."""
    if minutes < 1:
        raise UnderstudyError("forgetting takes at least one minute")
    here = open_device(device)
    told = (here.home / SOCKET_NAME).exists()
    problem = _forget_running(here, minutes) if told else None
    held = _store(here)
    plans = forget_since(held, SystemClock().now() - minutes * MINUTE_SECONDS)
    removed = sum((plan.removed for plan in plans), Removed())
    waiting = [entry for entry in Outbox(here).entries() if entry.state != "shared"]
    if waiting:
        remark(f"{len(waiting)} sealed segment(s) wait in the outbox and cannot be cut any more")
        remark("hint: understudy review list shows them, understudy review discard gives one up")
    emit(
        {"minutes": minutes, "recordings": [plan.recording.recording for plan in plans], "removed": removed},
        f"forgot the last {minutes} min: {_counts(removed)} in {len(plans)} held recording(s)",
        as_json=json,
    )
    if (problem is not None or not told) and any(held.is_running(name) for name in held.names()):
        raise problem or ControlError("a recording goes on, and its recorder cannot be told")


def _store(here: Device) -> HeldStore:
    """Return the held recordings, those closed whose recorder is gone."""
    held = HeldStore(here)
    for name in held.close_abandoned():
        remark(f"closed {name}: what recorded it is gone; up to the last seconds of it may be missing")
    return held


def _chosen(named: Sequence[str], everything: Sequence[str] | None) -> list[str]:
    if bool(named) == (everything is not None):
        raise UnderstudyError("name recordings, or say --all", hint="understudy review list shows them")
    return list(dict.fromkeys(named if everything is None else everything))


def _to_share(
    here: Device, held: HeldStore, outbox: Outbox, named: Sequence[str], *, all_: bool, due: bool
) -> list[HeldRecording]:
    """Return what to seal: named ones all or none, of the others those that are closed."""
    if all_ + due + bool(named) != 1:
        raise UnderstudyError(
            "name recordings, or say --all or --due", hint="understudy review list shows them"
        )
    if named:
        sealed = {entry.recording for entry in outbox.entries() if entry.state != "shared"}
        left = set(held.names())
        # After an interruption a recording may be sealed already: then there is only sending left to do.
        chosen = [held.recording(name) for name in dict.fromkeys(named) if name in left or name not in sealed]
        for recording in chosen:
            require_closed(recording)
        return chosen
    hold, now = here.document.delays.hold_seconds, SystemClock().now()
    found = held.recordings()
    for recording in found:
        if recording.is_open:
            remark(f"left out {recording.recording}: it is being recorded")
    return [item for item in found if not item.is_open and (all_ or is_due(item, hold, now))]


def _send(outbox: Outbox, server: str, *, as_json: bool) -> None:
    """Send what waits and say what became of it; what stopped it is raised once that is said."""
    problem: RefusedError | UnavailableError | None = None
    receipts, shared = 0, _shared(outbox)
    with progress_bar("uploading") as bar:
        try:
            for sent in outbox.send(connect(server), bar):
                receipts += len(sent.receipts)
        except (RefusedError, UnavailableError) as error:
            problem = error
    now_shared = [entry.segment for entry in outbox.entries() if entry.segment in _shared(outbox) - shared]
    waiting = [entry for entry in outbox.entries() if entry.state != "shared"]
    lines = [f"shared {len(now_shared)} segment(s); the custodian's receipts are kept here", *now_shared]
    if waiting:
        lines.append(f"{len(waiting)} segment(s) still wait:")
        lines += [_waiting_line(entry) for entry in waiting]
    emit(
        {"shared": now_shared, "receipts": receipts, "waiting": waiting},
        "\n".join(lines) if now_shared or waiting else "nothing to share",
        as_json=as_json,
    )
    if problem is not None:
        raise problem


def _shared(outbox: Outbox) -> set[str]:
    return {entry.segment for entry in outbox.entries() if entry.state == "shared"}


def _forget_running(here: Device, minutes: int) -> ControlError | None:
    """Tell the recorder that runs on this device; return why it could not be told, if there is one."""
    try:
        ControlClient(here.home).forget(minutes)
    except ControlError as error:
        return error
    return None


def _item_lines(item: Listed, now: int) -> list[str]:
    if item.held_until is None:
        state = "being recorded"
    elif item.held_until > now:
        state = f"held until {moment(item.held_until)}, or until you share it"
    else:
        state = "the hold is over: understudy review share --due"
    seconds = item.ended_at - item.started_at
    return [
        item.recording,
        f"  {visible(item.title, 200)}",
        f"  {moment(item.started_at)}, {_duration(seconds)}, {item.actions} action(s)",
        f"  {state}",
    ]


def _outbox_line(entries: Sequence[OutboxEntry]) -> str:
    waiting = [entry for entry in entries if entry.state != "shared"]
    shared = len(entries) - len(waiting)
    lines = [f"outbox: {shared} segment(s) shared, {len(waiting)} waiting"]
    return "\n".join([*lines, *(_waiting_line(entry) for entry in waiting)])


def _waiting_line(entry: OutboxEntry) -> str:
    reason = f": {entry.reason}" if entry.reason else ""
    return f"  {entry.segment}  {entry.state}{reason}"


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _counts(removed: Removed) -> str:
    return (
        f"{removed.actions} action(s) and {removed.states} state(s) removed,"
        f" {removed.lessened} action(s) kept with less"
    )


def _cut_line(plan: CutPlan, *, is_done: bool) -> str:
    if not plan.edits:
        return "nothing of the recording lies there"
    whole = "; that is all of it, so the recording is deleted" if plan.leaves_nothing else ""
    said = f"{_counts(plan.removed)}{whole}"
    return f"cut: {said}" if is_done else f"would cut: {said}; repeat with --yes"
