"""``understudy custodian``: set up the second key holder, sign and pin, run it, switch it off."""

import secrets
from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli.connect import DEFAULT_CUSTODIAN, CustodianUrl, connect_custodian
from understudy.cli.output import Json, emit, remark
from understudy.cli.parties import (
    DocumentFile,
    Hash,
    Home,
    Host,
    Out,
    Parent,
    Port,
    announce_keys,
    public_lines,
    serve_party,
    sign_file,
)
from understudy.consent.clock import SystemClock
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.contract.messages import SwitchStatus
from understudy.custody.switch import SwitchOrder
from understudy.sealing.signing import sign as sign_document
from understudy.web.config import CUSTODIAN_PORT, CustodianConfig, read_config
from understudy.web.document import DOCUMENT_FILE, fingerprint, read_document
from understudy.web.errors import AlreadyRunningError
from understudy.web.home import load_key, make_custodian
from understudy.web.listening import HomeLock
from understudy.web.pinning import core_of, pin_custodian, sign_custodian

app = App(name="custodian", help="The second key holder: set up, pin, run, switch off.")


@app.command
def init(
    *,
    home: Home,
    name: Annotated[str, Parameter(help="Its name in the key set.")] = "custodian",
    epoch: Annotated[int, Parameter(help="Raised when a custodian starts over.")] = 1,
    server: Annotated[str | None, Parameter(help="Address of the server, where the log is read.")] = None,
    port: Annotated[int, Parameter(help="Where it will listen.")] = CUSTODIAN_PORT,
    json: Json = False,
) -> None:
    """Make the custodian's keys and its empty store, everything off; public.json is for the steward."""
    made = make_custodian(home, CustodianConfig(name=name, epoch=epoch, server=server, port=port))
    announce_keys(home)
    emit(made, f"{public_lines(made)}\npublic keys are in {home / 'public.json'}", as_json=json)


@app.command
def sign(document: DocumentFile, *, home: Home, out: Out = None, json: Json = False) -> None:
    """Sign the programme document, if it names this custodian's own keys and holds to its rules."""
    signed = sign_file(document, out, lambda given: sign_custodian(home, given))
    found = signed.hash(ProgrammeDocument)
    emit(
        {"document": found, "signatures": len(signed.signatures)},
        f"signed {fingerprint(found)}",
        as_json=json,
    )


@app.command
def pin(document: DocumentFile, *, home: Home, hash_: Hash, json: Json = False) -> None:
    """Go by this document from now on. The hash comes from the steward, never from the server."""
    given = read_document(document)
    lock = HomeLock(home)
    try:
        pin_custodian(home, given, hash_, SystemClock())
    finally:
        lock.release()
    emit({"document": hash_}, f"pinned {fingerprint(hash_)}", as_json=json)


@app.command
def serve(*, home: Home, host: Host = None, port: Port = None, parent: Parent = None) -> None:
    """Answer as the custodian until told to stop."""
    from understudy.web.custodian_app import open_custodian  # noqa: PLC0415  only a process that serves loads a server

    config = read_config(home, CustodianConfig)
    serve_party(
        home, config, lambda: open_custodian(home, SystemClock()), host=host, port=port, parent=parent
    )
    remark("the custodian has ended")


@app.command
def off(
    activity: Annotated[tuple[Activity, ...], Parameter(help="What to stop; default: everything.")] = (),
    /,
    *,
    home: Home,
    because: Annotated[
        str, Parameter(help="A short reason; it is signed and logged.")
    ] = "the operator's word",
    json: Json = False,
) -> None:
    """Stop, by the operator's word alone, whether the custodian runs or not.

    Starting again takes the lift keys.
    """
    stop = tuple(sorted(set(activity) or set(Activity)))
    try:
        lock = HomeLock(home)
    except AlreadyRunningError:
        status = _ask_to_stop(home, stop, because)
    else:
        try:
            core = core_of(home, SystemClock())
            try:
                status = core.switch_off_local(stop, because)
            finally:
                core.close()
        finally:
            lock.release()
    emit(status, _switch_line(status), as_json=json)


@app.command
def status(*, home: Home, json: Json = False) -> None:
    """Show the custodian's switch, from the running process or from its store."""
    try:
        lock = HomeLock(home)
    except AlreadyRunningError:
        config = read_config(home, CustodianConfig)
        found = connect_custodian(_own_address(config)).switch_status()
    else:
        try:
            core = core_of(home, SystemClock())
            try:
                found = core.switch_status()
            finally:
                core.close()
        finally:
            lock.release()
    emit(found, _switch_line(found), as_json=json)


@app.command
def show(*, custodian: CustodianUrl = (DEFAULT_CUSTODIAN,), json: Json = False) -> None:
    """Ask a custodian who it is and which document it has pinned: compare this with what the server shows."""
    found = connect_custodian(custodian[0]).identity()
    pinned = "nothing is pinned" if found.document is None else fingerprint(found.document)
    keys = "" if found.key_set is None else fingerprint(found.key_set)
    emit(
        found,
        f"custodian {found.name}, epoch {found.epoch}\ndocument {pinned}\nkey set  {keys}",
        as_json=json,
    )


def _ask_to_stop(home: Home, stop: tuple[Activity, ...], because: str) -> SwitchStatus:
    """Have the running process stop, by an order under its own key."""
    config = read_config(home, CustodianConfig)
    key = load_key(home, "custodian")
    order = SwitchOrder(
        programme=read_document(home / DOCUMENT_FILE).verify(ProgrammeDocument).programme,
        off=stop,
        nonce=encode_bytes(secrets.token_bytes(32)),
        reason=because,
        ordered_at=SystemClock().now(),
    )
    return connect_custodian(_own_address(config)).switch_off(sign_document(order, key))


def _own_address(config: CustodianConfig) -> str:
    scheme = "https" if config.certificate else "http"
    return f"{scheme}://{config.host}:{config.port}"


def _switch_line(found: SwitchStatus) -> str:
    off = ", ".join(found.off) or "nothing"
    return f"off: {off}; revision {found.revision}, {found.queued} change(s) to be logged"
