"""``understudy grant``: open segments under a grant, or one's own."""

import hashlib
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli.connect import (
    DEFAULT_DEVICE,
    DEFAULT_SERVER,
    DeviceHome,
    KeyFile,
    PinnedFile,
    ServerUrl,
    connect,
    credential_hash,
    open_device,
    pinned_document,
    signing_key,
)
from understudy.cli.output import Json, emit, progress_bar, remark, short, table, write_clear
from understudy.client.reader import Reader
from understudy.client.server import ServerClient
from understudy.consent.clock import SystemClock
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.primitives import new_id
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.contract.messages import SegmentEntry
from understudy.custody.grant import Grant
from understudy.sealing.signing import SigningKey, sign

app = App(name="grant", help="Open segments under a grant; grant oneself one's own.")

OWN_SECONDS = 3_600


@app.command
def segments(
    grant: Annotated[str, Parameter(help="Hash of a grant in force.", allow_leading_hyphen=True)],
    *,
    key: KeyFile,
    document: PinnedFile = None,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """List the segments that a grant covers: ids, day of upload, size. Never a time or a title."""
    client = connect(server)
    signer = signing_key(key)
    pinned_document(client, document)
    entries = all_segments(client, signer, grant)
    shown = table("segments", "segment", "uploaded", "bytes")
    for entry in entries:
        shown.add_row(entry.segment, entry.upload_day, f"{entry.bytes:,}")
    emit([_row(entry) for entry in entries], shown, as_json=json)


@app.command(name="open")
def open_(
    grant: Annotated[str, Parameter(help="Hash of a grant in force.", allow_leading_hyphen=True)],
    *,
    key: KeyFile,
    reason: ReasonCode,
    out: Annotated[
        Path | None, Parameter(help="Write the payloads here, in clear; default: hashes only.")
    ] = None,
    segment: Annotated[tuple[str, ...], Parameter(help="Only these segments; repeat.")] = (),
    document: PinnedFile = None,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Open the segments of a grant through the door. One log entry, whatever comes of it."""
    client = connect(server)
    signer = signing_key(key)
    reader = Reader(client, pinned_document(client, document), signer, SystemClock())
    _open(reader, grant, reason, _chosen(client, signer, grant, segment), out, json)


@app.command
def own(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    out: Annotated[
        Path | None, Parameter(help="Write the payloads here, in clear; default: hashes only.")
    ] = None,
    segment: Annotated[tuple[str, ...], Parameter(help="Only these segments; repeat.")] = (),
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Open one's own recordings. Needs nobody's approval; it is an entry like any other."""
    here = open_device(device)
    client = connect(server)
    here.check_pin(client)
    now = SystemClock().now()
    signer = here.personal.signing
    grant = Grant(
        grant=new_id("grt"),
        programme=here.document.programme,
        request=None,
        requester=credential_hash(signer),
        scope=Scope(programme=here.document.programme, tags=(here.tag,)),
        purpose=Purpose.OWN,
        reason=ReasonCode.OWN_COPY,
        readers=(Ed25519Credential(public_key=signer.public),),
        not_before=now,
        not_after=now + OWN_SECONDS,
        ceiling=10_000,
    )
    registered = client.own(sign(grant, signer))
    reader = Reader(client, here.document, signer, SystemClock())
    chosen = _chosen(client, signer, registered, segment)
    _open(reader, registered, ReasonCode.OWN_COPY, chosen, out, json)


def all_segments(client: ServerClient, key: SigningKey, grant: str) -> list[SegmentEntry]:
    """Return every segment a grant covers, page by page."""
    found: list[SegmentEntry] = []
    cursor = ""
    while True:
        page = client.segments(key, grant=grant, cursor=cursor)
        found.extend(page.segments)
        cursor = page.next
        if not cursor:
            return found


def _chosen(client: ServerClient, key: SigningKey, grant: str, only: tuple[str, ...]) -> list[SegmentEntry]:
    return [entry for entry in all_segments(client, key, grant) if not only or entry.segment in only]


def _open(
    reader: Reader,
    grant: str,
    reason: ReasonCode,
    entries: list[SegmentEntry],
    out: Path | None,
    as_json: bool,
) -> None:
    if not entries:
        remark("the grant covers no segment")
        emit({"opened": []}, "nothing opened", as_json=as_json)
        return
    if out is not None:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        remark(f"writing recordings in clear to {out}: from here on nothing protects them")
    opened = []
    with progress_bar("opening") as bar:
        for done, (name, payload) in enumerate(reader.open(grant, reason, entries), start=1):
            opened.append(
                {"segment": name, "bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
            )
            if out is not None:
                path = out / f"{name}.understudy"
                write_clear(path, payload)
            bar(done, len(entries))
    lines = [f"  {short(str(row['segment']))}  {row['bytes']:,} bytes" for row in opened]
    emit({"opened": opened}, f"opened {len(opened)} segment(s)\n" + "\n".join(lines), as_json=as_json)


def _row(entry: SegmentEntry) -> dict[str, object]:
    return {"segment": entry.segment, "upload_day": entry.upload_day, "bytes": entry.bytes}
