"""``understudy recording``: make a synthetic one; check, show and draw files in clear."""

import secrets
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli import UNVERIFIED
from understudy.cli.connect import DEFAULT_DEVICE, DEFAULT_SERVER, DeviceHome, ServerUrl, connect, open_device
from understudy.cli.output import Json, emit, progress_bar, remark, write_clear
from understudy.consent.clock import SystemClock
from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Action
from understudy.formats.recording.check import check as check_recording
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.manifest import RedactionStamp
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.words import sentence, time_words, visible
from understudy.formats.sheet.sheet import COLUMNS, LIMIT, contact_sheet
from understudy.formats.synthetic import synthetic_segment
from understudy.recorder.held import HeldRecording, HeldSegment, HeldStore
from understudy.recorder.leases import LeaseKeeper
from understudy.sealing.signing import document_hash

app = App(name="recording", help="Recording files: make a synthetic one; check, show and draw.")

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
        f"next: understudy review show {recording}, then understudy review share {recording}",
        as_json=json,
    )


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
        lines = [visible(manifest.title, 200), ""]
        lines += [
            f"{time_words(action.at_ms):>7}  {sentence(action, _before(reader, action))}"
            for action in actions
        ]
    emit({"manifest": manifest, "actions": actions, "trees": trees}, "\n".join(lines), as_json=json)


@app.command
def sheet(
    *files: Annotated[
        Path, Parameter(help="Recording files in clear, as `understudy grant open --out` writes them.")
    ],
    out: Annotated[Path, Parameter(help="The PNG file to write, in clear.")],
    columns: Annotated[int, Parameter(help="Pictures in a row.")] = COLUMNS,
    limit: Annotated[
        int, Parameter(help="Pictures in all; what is left out is counted on the sheet.")
    ] = LIMIT,
    json: Json = False,
) -> None:
    """Draw a contact sheet: every act, what the screen showed before it, and its target."""
    if not files:
        raise UnderstudyError("a sheet is of at least one file")
    with ExitStack() as stack:
        sources = [stack.enter_context(file.open("rb")) for file in files]
        png = contact_sheet(sources, columns=columns, limit=limit)
    write_clear(out, png)
    emit({"sheet": str(out), "files": len(files), "bytes": len(png)}, f"wrote {out}", as_json=json)


def _before(reader: RecordingReader, action: Action) -> ElementTree | None:
    """Return what the screen showed before an action."""
    number = None if action.before is None else reader.version(action.before).tree
    return None if number is None else reader.tree(number)


def _write_plain(folder: Path, payloads: dict[str, bytes]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    remark(f"writing payloads in clear to {folder}: for tests and comparisons only")
    for name, payload in payloads.items():
        path = folder / f"{name}.understudy"
        write_clear(path, payload)
