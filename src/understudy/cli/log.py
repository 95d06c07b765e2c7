"""``understudy log``: the transparency log, as participants, auditors and operators use it."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from understudy.cli import UNVERIFIED
from understudy.cli.connect import (
    DEFAULT_CUSTODIAN,
    DEFAULT_DEVICE,
    DEFAULT_SERVER,
    CustodianUrl,
    DeviceHome,
    ServerUrl,
    connect,
    connect_custodian,
    open_device,
    read_signed,
    signing_key,
)
from understudy.cli.output import Json, emit, moment, remark, short, table
from understudy.client.mine import reads_of_mine
from understudy.consent.clock import SystemClock
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.programme import ProgrammeDocument
from understudy.recorder.heads import SeenHeads
from understudy.sealing.errors import FormatError
from understudy.transparency.export import export_log
from understudy.transparency.fsck import check_store, repair_store
from understudy.transparency.leaves import decode_leaf
from understudy.transparency.report import Report
from understudy.transparency.tiles import DirectoryTiles, TileName, read_entries, tiles_at
from understudy.transparency.trust import log_trust
from understudy.transparency.verify import verify_log

app = App(name="log", help="The transparency log: show, export, verify, who read mine.")


@app.command
def mine(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    custodian: CustodianUrl = (DEFAULT_CUSTODIAN,),
    json: Json = False,
) -> None:
    """List everyone who opened your recordings, and check that nothing is missing.

    The custodians are asked directly; the server could leave something out, they would not agree. What they
    signed is kept on this device: a list that is shorter another day, or tells another story, is an error.
    """
    here = open_device(device)
    heads = SeenHeads(device)
    found = reads_of_mine(
        here.personal,
        here.document,
        here.enrolment.hash(EnrolmentRecord),
        [connect_custodian(address) for address in custodian],
        connect(server),
        SystemClock(),
        seen=heads.read(),
    )
    heads.keep(found.heads)
    shown = table(
        "who opened your recordings", "#", "when", "purpose", "segments", "outcome", "actor", "entry"
    )
    for read in found.reads:
        shown.add_row(
            str(read.n),
            moment(read.time),
            read.purpose,
            str(len(read.segments)),
            read.outcome + (f": {read.reason}" if read.reason else ""),
            short(read.actor),
            str(read.index),
        )
    if not found.reads:
        emit(found, f"nobody has opened your recordings; log size {found.tree_size}", as_json=json)
        return
    emit(found, shown, as_json=json)
    if not json:
        remark(
            f"complete: {len(found.reads)} of {len(found.reads)}, verified against log size {found.tree_size}"
        )


@app.command
def export(
    *,
    out: Annotated[Path, Parameter(help="Folder to write or bring up to date.")],
    entries: Annotated[bool, Parameter(negative="", help="Raw entries too; needs an auditor's key.")] = False,
    key: Annotated[Path | None, Parameter(help="Auditor's or mirror's key file.")] = None,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Copy the log's public files (C2SP tlog-tiles) to a folder; repeated, only what is new."""
    source = connect(server, signing_key(key) if key else None).log
    done = export_log(source, source.checkpoint(), out, entries=entries)
    facts = {"size": done.size, "written": done.written, "removed": done.removed}
    emit(facts, f"{done.size} entries, {done.written} files written to {out}", as_json=json)


@app.command
def verify(
    folder: Path,
    *,
    document: Annotated[Path, Parameter(help="The pinned programme document, whose keys are believed.")],
    since: Annotated[tuple[Path, ...], Parameter(help="Checkpoints seen earlier; repeat.")] = (),
    json: Json = False,
) -> int:
    """Verify an exported log offline: every hash, both signatures, every entry.

    Ends with 4 if anything is wrong.
    """
    trust = log_trust(read_signed(document).verify(ProgrammeDocument).key_set)
    source = DirectoryTiles(folder)
    has_entries = (folder / "tile" / "entries").is_dir()
    earlier = [path.read_bytes() for path in since]
    report = verify_log(source, trust, earlier=earlier, entries=has_entries)
    problems = [*_problems(report), *(_undecodable(source, report) if has_entries else [])]
    facts = {"ok": not problems, "size": report.size, "entries_checked": report.entries, "problems": problems}
    lines = [f"{problem['code']}: {problem['text']}" for problem in problems]
    good = f"{report.size} entries, root {report.root.hex()}\nsigned by the log, cosigned by its witnesses"
    emit(facts, "\n".join(lines) or good, as_json=json)
    if not has_entries and not json:
        remark("this copy has no raw entries: tiles, root and signatures were verified")
    return UNVERIFIED if problems else 0


@app.command
def show(
    folder: Annotated[Path, Parameter(help="An exported log with entries.")],
    *,
    start: Annotated[int, Parameter(help="First index.")] = 0,
    count: Annotated[int, Parameter(help="How many.")] = 20,
    json: Json = False,
) -> None:
    """Show entries of an exported log, one a line. Entries name no participant."""
    source = DirectoryTiles(folder)
    shown = table("entries", "index", "kind", "when", "what")
    rows = []
    for index, raw in _entries(source, start, start + count):
        leaf = msgspec.to_builtins(decode_leaf(raw))
        rows.append({"index": index, **leaf})
        what = ", ".join(
            f"{name} {leaf[name]}" for name in ("purpose", "reason", "off", "count") if name in leaf
        )
        shown.add_row(str(index), leaf["kind"], moment(leaf["time"]) if "time" in leaf else "", what)
    emit(rows, shown, as_json=json)


@app.command
def fsck(
    store: Annotated[Path, Parameter(help="The log's store, such as HOME/server/log.sqlite.")],
    *,
    repair: Annotated[
        bool, Parameter(negative="", help="Rebuild what is derived; the server must be down.")
    ] = False,
    json: Json = False,
) -> int:
    """Check a log's store against itself; say what is derived and can be rebuilt, and what is lost."""
    report = repair_store(store) if repair else check_store(store)
    problems = _problems(report)
    facts = {"ok": report.is_sound, "size": report.size, "problems": problems, "repaired": report.repaired}
    lines = [f"{problem['code']}: {problem['text']}" for problem in problems]
    lines.append(f"{report.size} entries, {report.repaired} derived rows rebuilt")
    emit(facts, "\n".join(lines), as_json=json)
    return 0 if report.is_sound else UNVERIFIED


def _problems(report: Report) -> list[dict[str, Any]]:
    return [
        {"code": problem.code.value, "index": problem.index, "text": problem.text}
        for problem in report.problems
    ]


def _undecodable(source: DirectoryTiles, report: Report) -> list[dict[str, Any]]:
    """Return a problem for every entry that is no leaf of this format."""
    problems = []
    for index, raw in _entries(source, 0, report.size):
        try:
            decode_leaf(raw)
        except FormatError as error:
            problems.append({"code": "entry-undecodable", "index": index, "text": f"entry {index}: {error}"})
    return problems


def _entries(source: DirectoryTiles, start: int, stop: int) -> list[tuple[int, bytes]]:
    """Return the entries with start <= index < stop that the folder's checkpoint covers."""
    size = int(source.read("checkpoint").split(b"\n")[1])
    found = []
    for tile in tiles_at(0, size):
        if tile.first < stop and tile.first + tile.width > start:
            entries = read_entries(source, TileName(None, tile.n, tile.width))
            found += [(tile.first + place, raw) for place, raw in enumerate(entries)]
    return [(index, raw) for index, raw in found if start <= index < stop]
