"""``understudy suspend`` and ``understudy lift``: the switch.

Rules

* One signature stops; `all` stops everything but a person's look at their own recordings (`own-reads`), which
  has to be named. It takes effect before anything is logged and waits for nothing.
* An order to stop goes to the custodian at its own address and to the server; either stops by itself. Only
  the custodian's own yes counts as stopped: without it the exit code is 1, whatever the server says.
* Starting again takes the lift keys of the programme document, at their threshold. What they sign (programme,
  custodian, revision) is the custodian's own word, from its own address, so that nobody in between can have a
  bundle signed for later. ``--dry-run`` says what would start.
"""

import secrets
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from understudy.cli.connect import (
    DEFAULT_CUSTODIAN,
    DEFAULT_SERVER,
    CustodianUrl,
    KeyFile,
    PinnedFile,
    ServerUrl,
    connect,
    connect_custodian,
    read_signed,
    signing_key,
)
from understudy.cli.output import Json, emit, remark
from understudy.client.custodian import HttpCustodian
from understudy.client.errors import NoAnswerError
from understudy.client.server import ServerClient
from understudy.consent.clock import SystemClock
from understudy.consent.errors import RefusedError, UnavailableError, UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.contract.messages import SwitchStatus
from understudy.custody.switch import LiftBundle, SwitchOrder
from understudy.recorder.errors import PinError
from understudy.sealing.signing import SigningKey, sign

What = Literal["capture", "ingest", "reads", "releases", "training", "own-reads", "all"]

NOT_CONFIRMED = 1
_SERVER = "server"
_ASK_THE_OPERATOR = "ask the custodian's operator to stop (understudy custodian off)"


def suspend(
    what: Annotated[tuple[What, ...], Parameter(help="What to stop; `all` stops everything.")],
    /,
    *,
    key: KeyFile,
    because: Annotated[str, Parameter(help="A short reason; it is signed.")] = "no reason given",
    server: ServerUrl = DEFAULT_SERVER,
    custodian: CustodianUrl = (DEFAULT_CUSTODIAN,),
    document: PinnedFile = None,
    json: Json = False,
) -> int:
    """Stop capture, ingest, reads, releases, training, or all of them, now.

    Any roster member or the auditor may. The order goes to every custodian directly and to the server; each
    stops by itself.
    """
    signer = signing_key(key)
    custodians = [connect_custodian(address) for address in custodian]
    client = connect(server)
    order = SwitchOrder(
        programme=_programme(custodians, client, document),
        off=_stopped(what),
        nonce=encode_bytes(secrets.token_bytes(32)),
        reason=because,
        ordered_at=SystemClock().now(),
    )
    signed = sign(order, signer)
    confirmed: list[SwitchStatus] = []
    refused: list[RefusedError] = []
    by_custodians = 0
    parties: list[tuple[str, ServerClient | HttpCustodian]] = [
        *zip(custodian, custodians, strict=True),
        (server, client),
    ]
    for name, party in parties:
        try:
            status = party.switch_off(signed)
        except UnderstudyError as error:
            remark(f"not confirmed by {name}: {error}")
            refused += [error] if isinstance(error, RefusedError) else []
            continue
        if not set(order.off) <= set(status.off):
            remark(f"not confirmed by {name}: it still has on what the order stops")
            continue
        confirmed.append(status)
        by_custodians += party is not client and status.by != _SERVER
    if not confirmed:
        if refused:
            raise refused[0]
        raise UnavailableError("nobody has confirmed the order", hint=_ASK_THE_OPERATOR)
    emit(
        {"confirmed": [status.by for status in confirmed], "off": order.off, "status": confirmed},
        "\n".join(f"confirmed by {status.by}: {_sentence(status)}" for status in confirmed),
        as_json=json,
    )
    if by_custodians < len(custodians) or not custodians:
        remark(f"not every custodian has confirmed, so keys may still be released: {_ASK_THE_OPERATOR}")
        return NOT_CONFIRMED
    return 0


def lift(
    what: Annotated[tuple[What, ...], Parameter(help="What to start again; `all` starts everything.")],
    /,
    *,
    key: Annotated[tuple[Path, ...], Parameter(name="--key", help="Lift key files; repeat.")],
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would start.")] = False,
    server: ServerUrl = DEFAULT_SERVER,
    custodian: CustodianUrl = (DEFAULT_CUSTODIAN,),
    document: PinnedFile = None,
    json: Json = False,
) -> None:
    """Start again what was suspended. The custodian itself checks the lift keys' signatures."""
    custodians = [connect_custodian(address) for address in custodian]
    if dry_run:
        off = sorted({activity for party in custodians for activity in party.switch_status().off})
        remark(f"would start {', '.join(_started(what))}; off now: {', '.join(off) or 'nothing'}")
        return
    for party in custodians:
        _check_pinned(party, document)
    client, keys = connect(server), [signing_key(path) for path in key]
    statuses = [_lift_one(party, client, _started(what), keys) for party in custodians]
    try:
        statuses.append(client.switch_status())
    except UnavailableError as error:
        remark(f"the server was not reached, and is as it was: {error}")
    emit(
        {"off": sorted({activity for status in statuses for activity in status.off}), "status": statuses},
        "\n".join(f"{status.by}: {_sentence(status)}" for status in statuses),
        as_json=json,
    )


def _lift_one(
    custodian: HttpCustodian, server: ServerClient, on: tuple[Activity, ...], keys: list[SigningKey]
) -> SwitchStatus:
    """Lift one custodian, by the server if it can be reached; return what the custodian itself then says."""
    held = custodian.switch_status()
    bundle = LiftBundle(
        programme=custodian.document().verify(ProgrammeDocument).programme,
        on=on,
        custodian=held.by,
        epoch=held.epoch,
        revision=held.revision,
        made_at=SystemClock().now(),
    )
    signed = sign(bundle, *keys)
    try:
        server.lift(signed)
    except NoAnswerError:
        # The server follows later, by a bundle of its own; what counts is the custodian.
        return custodian.lift(signed)
    status = custodian.switch_status()
    return custodian.lift(signed) if set(on) & set(status.off) else status


def _check_pinned(custodian: HttpCustodian, path: Path | None) -> None:
    """Check that the custodian goes by the document that the lift holders hold.

    Raises:
        PinError: by another one, or it is not one of its custodians.
    """
    if path is None:
        remark("the programme document is believed as the custodian shows it; pin yours with --document FILE")
        return
    held = read_signed(path)
    named = {(keys.name, keys.epoch) for keys in held.verify(ProgrammeDocument).key_set.custodians}
    status = custodian.switch_status()
    shown = custodian.document().hash(ProgrammeDocument)
    if shown != held.hash(ProgrammeDocument) or (status.by, status.epoch) not in named:
        raise PinError("the custodian goes by another programme document than yours")


def _programme(custodians: list[HttpCustodian], server: ServerClient, path: Path | None) -> str:
    """Return the programme to stop: the pinned document's, else that of the first party that answers.

    Raises:
        UnavailableError: nobody does.
    """
    if path is not None:  # then a stop asks nobody anything
        return read_signed(path).verify(ProgrammeDocument).programme
    last = UnavailableError("nobody can be reached", hint=_ASK_THE_OPERATOR)
    parties: list[ServerClient | HttpCustodian] = [*custodians, server]
    for party in parties:
        try:
            return party.document().verify(ProgrammeDocument).programme
        except UnavailableError as error:
            last = error
    raise last


def _stopped(what: tuple[What, ...]) -> tuple[Activity, ...]:
    """Return what to stop; ``all`` leaves people the way to their own recordings."""
    everything = set(Activity) - {Activity.OWN_READS} if "all" in what else set()
    return tuple(sorted(everything | _named(what)))


def _started(what: tuple[What, ...]) -> tuple[Activity, ...]:
    """Return what to start again."""
    return tuple(sorted(set(Activity) if "all" in what else _named(what)))


def _named(what: tuple[str, ...]) -> set[Activity]:
    return {Activity(item) for item in what if item != "all"}


def _sentence(status: SwitchStatus) -> str:
    if not status.off:
        return "everything is on"
    return f"off now: {', '.join(status.off)}"
