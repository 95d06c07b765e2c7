"""``understudy suspend`` and ``understudy lift``: the switch.

Rules

* One signature stops; `all` stops everything but a person's look at their own recordings (`own-reads`), which
  has to be named. It takes effect before anything is logged and waits for nothing.
* Starting again takes the lift keys of the programme document, at their threshold. ``--dry-run`` says what
  would start.
"""

import secrets
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from understudy.cli.connect import DEFAULT_SERVER, KeyFile, ServerUrl, connect, signing_key
from understudy.cli.output import Json, emit, remark
from understudy.consent.clock import SystemClock
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.contract.messages import SwitchStatus
from understudy.custody.switch import LiftBundle, SwitchOrder
from understudy.sealing.signing import sign

What = Literal["capture", "ingest", "reads", "releases", "training", "own-reads", "all"]


def suspend(
    what: Annotated[tuple[What, ...], Parameter(help="What to stop; `all` stops everything.")],
    /,
    *,
    key: KeyFile,
    because: Annotated[str, Parameter(help="A short reason; it is signed.")] = "no reason given",
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Stop capture, ingest, reads, releases, training, or all of them, now.

    Any roster member or the auditor may. The server stops and tells the custodian, which stops by itself.
    """
    client = connect(server)
    order = SwitchOrder(
        programme=client.document().verify(ProgrammeDocument).programme,
        off=_stopped(what),
        nonce=encode_bytes(secrets.token_bytes(32)),
        reason=because,
        ordered_at=SystemClock().now(),
    )
    status = client.switch_off(sign(order, signing_key(key)))
    emit(status, _sentence(status), as_json=json)


def lift(
    what: Annotated[tuple[What, ...], Parameter(help="What to start again; `all` starts everything.")],
    /,
    *,
    key: Annotated[tuple[Path, ...], Parameter(name="--key", help="Lift key files; repeat.")],
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would start.")] = False,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Start again what was suspended. The custodian itself checks the lift keys' signatures."""
    client = connect(server)
    document = client.document().verify(ProgrammeDocument)
    held = client.custodian_switch()
    if dry_run:
        remark(f"would start {', '.join(_started(what))}; off now: {', '.join(held.off) or 'nothing'}")
        return
    bundle = LiftBundle(
        programme=document.programme,
        on=_started(what),
        custodian=document.key_set.custodians[0].name,
        epoch=document.key_set.custodians[0].epoch,
        revision=held.revision,
        made_at=SystemClock().now(),
    )
    status = client.lift(sign(bundle, *(signing_key(path) for path in key)))
    emit(status, _sentence(status), as_json=json)


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
