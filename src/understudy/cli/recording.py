"""``understudy recording``: make a synthetic one, check, list, share, delete, send what waits."""

import secrets
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli import UNVERIFIED
from understudy.cli.connect import DEFAULT_DEVICE, DEFAULT_SERVER, DeviceHome, ServerUrl, connect, open_device
from understudy.cli.output import Json, emit, moment, progress_bar, remark, short, table
from understudy.consent.clock import SystemClock
from understudy.consent.primitives import encode_bytes, new_id
from understudy.formats.recording.actions import act_of, resulting_value
from understudy.formats.recording.check import check as check_recording
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.manifest import RedactionStamp
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.synthetic import synthetic_segment
from understudy.recorder.device import Device
from understudy.recorder.held import HeldRecording, HeldSegment, HeldStore
from understudy.recorder.leases import LeaseKeeper
from understudy.recorder.outbox import Outbox
from understudy.sealing.signing import document_hash

app = App(name="recording", help="Held recordings: make, check, list, share, delete.")

NOTHING_TO_REDACT = RedactionStamp(rules=encode_bytes(bytes(32)), layers=())
"""Stamp of recordings that show no person: no rules, no layers."""


@app.command
def synthetic(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    seed: Annotated[int, Parameter(help="Same seed, same content.")] = 1,
    segments: Annotated[int, Parameter(help="How many segments.")] = 2,
    seconds: Annotated[int, Parameter(help="Length of each segment; real time passes.")] = 2,
    group: Annotated[str, Parameter(help="Application group; default: the first one consented to.")] = "",
    task: Annotated[str, Parameter(help="Task label.")] = "synthetic-form",
    canaries: Annotated[Path | None, Parameter(help="File of strings to plant, one a line.")] = None,
    keep_plain: Annotated[Path | None, Parameter(help="Also write the payloads here, in clear.")] = None,
    json: Json = False,
) -> None:
    """Make a synthetic recording under real leases and hold it for review.

    It shows drawn pages and no person, but takes the same way as a real one: no lease, no recording.
    """
    here = open_device(device)
    clock = SystemClock()
    keeper = LeaseKeeper(here, connect(server), clock)
    planted = canaries.read_text().split("\n") if canaries else []
    recording = new_id("rec")
    application_group = group or here.consent.application_groups[0]
    held: list[HeldSegment] = []
    payloads: dict[str, bytes] = {}
    with progress_bar("recording") as bar:
        for ordinal in range(segments):
            until = keeper.renew()
            started_at = clock.now()
            ended_at = min(started_at + seconds, until)
            while clock.now() < ended_at:
                time.sleep(0.05)
            segment = new_id("seg")
            payloads[segment] = synthetic_segment(
                seed,
                recording=recording,
                ordinal=ordinal,
                started_at=started_at,
                ended_at=ended_at,
                canaries=[line for line in planted if line],
                task=task,
                application_group=application_group,
            )
            held.append(
                HeldSegment(
                    segment=segment,
                    started_at=started_at,
                    ended_at=ended_at,
                    salt=encode_bytes(secrets.token_bytes(32)),
                    coverage=keeper.coverage(started_at, ended_at),
                    redaction=document_hash(NOTHING_TO_REDACT),
                )
            )
            bar(ordinal + 1, segments)
    made = HeldRecording(
        recording=recording,
        title=f"Synthetic recording, seed {seed}",
        application_group=application_group,
        task_label=task,
        segments=tuple(held),
    )
    HeldStore(here).keep(made, payloads)
    if keep_plain is not None:
        _write_plain(keep_plain, payloads)
    emit(
        {"recording": recording, "segments": [segment.segment for segment in held]},
        f"held {recording}: {segments} segment(s), {sum(map(len, payloads.values())):,} bytes\n"
        f"next: understudy recording share {recording}",
        as_json=json,
    )


@app.command(name="list")
def list_(*, device: DeviceHome = DEFAULT_DEVICE, json: Json = False) -> None:
    """List what is held here and what is in the outbox."""
    here = open_device(device)
    held = HeldStore(here).recordings()
    waiting = Outbox(here).entries()
    shown = table("on this device", "recording", "state", "what", "when")
    for recording in held:
        first = recording.segments[0]
        shown.add_row(recording.recording, "held", recording.title, moment(first.started_at))
    for entry in waiting:
        shown.add_row(entry.recording, entry.state, entry.segment, "")
    emit({"held": held, "outbox": waiting}, shown, as_json=json)


@app.command
def check(file: Path, *, json: Json = False) -> int:
    """Check a recording file in clear; list every problem, exit 4 if there is one."""
    with file.open("rb") as source:
        report = check_recording(source)
    lines = [f"{problem.code}: {problem.message}" for problem in report.problems]
    emit(report, "\n".join(lines) or "no problems", as_json=json)
    return 0 if report.is_valid else UNVERIFIED


@app.command
def show(file: Path, *, json: Json = False) -> None:
    """Show what a recording file in clear holds; --json adds every element."""
    with file.open("rb") as source:
        reader = RecordingReader(source)
        manifest, actions = reader.manifest, list(reader.actions())
        trees = [reader.tree(number) for number in range(reader.count(Kind.TREES))] if json else []
    shown = table(manifest.title, "at", "act", "result")
    for action in actions:
        shown.add_row(f"{action.at_ms / 1000:.2f} s", act_of(action), resulting_value(action) or "")
    emit({"manifest": manifest, "actions": actions, "trees": trees}, shown, as_json=json)


@app.command
def share(
    recording: Annotated[str, Parameter(help="Which one; `understudy recording list` shows them.")],
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    now: Annotated[
        bool, Parameter(negative="", help="Upload at once instead of after a random delay.")
    ] = False,
    json: Json = False,
) -> None:
    """Seal a held recording and upload it. From then on this device cannot read it back."""
    here = open_device(device)
    held = HeldStore(here)
    sealed = Outbox(here).seal(held, held.recording(recording))
    spread = 0 if now else secrets.randbelow(here.document.delays.upload_spread_seconds + 1)
    if spread:
        remark(f"sealed; the upload starts in {spread} s (see --now), or later: understudy recording send")
        time.sleep(spread)
    _send(here, server, json, sealed)


@app.command
def send(
    *, device: DeviceHome = DEFAULT_DEVICE, server: ServerUrl = DEFAULT_SERVER, json: Json = False
) -> None:
    """Upload what is sealed and not yet shared; resumes where an earlier upload ended."""
    here = open_device(device)
    waiting = [entry.segment for entry in Outbox(here).entries() if entry.state == "sealed"]
    _send(here, server, json, waiting)


@app.command
def delete(
    recording: str,
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    yes: Annotated[bool, Parameter(negative="", help="Really delete it.")] = False,
    json: Json = False,
) -> int:
    """Delete a held recording. It was never anywhere else. Without --yes, only says what would go."""
    held = HeldStore(open_device(device))
    found = held.recording(recording)
    if not yes:
        remark(f"would delete {found.title}, {len(found.segments)} segment(s); repeat with --yes")
        return 0
    held.delete(recording)
    emit({"deleted": recording}, f"deleted {recording}", as_json=json)
    return 0


def _send(here: Device, server: str, as_json: bool, sealed: list[str]) -> None:
    with progress_bar("uploading") as bar:
        receipts = sum(len(sent.receipts) for sent in Outbox(here).send(connect(server), bar))
    emit(
        {"shared": sealed, "receipts": receipts},
        f"shared {len(sealed)} segment(s); the custodian's receipts are kept here\n"
        + "\n".join(f"  {short(name)}" for name in sealed),
        as_json=as_json,
    )


def _write_plain(folder: Path, payloads: dict[str, bytes]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    remark(f"writing payloads in clear to {folder}: for tests and comparisons only")
    for name, payload in payloads.items():
        path = folder / f"{name}.understudy"
        path.touch(mode=0o600)
        path.write_bytes(payload)
