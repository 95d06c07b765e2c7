"""``understudy request``: ask for access, look at requests, approve one."""

from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli.connect import (
    DEFAULT_SERVER,
    KeyFile,
    ServerUrl,
    connect,
    credential_hash,
    credential_of,
    signing_key,
)
from understudy.cli.output import Json, emit, moment, remark, short, table
from understudy.consent.clock import SystemClock
from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import new_id
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.contract.messages import RequestState
from understudy.custody.grant import AccessRequest, Grant
from understudy.sealing.canonical import octets, parse
from understudy.sealing.signing import sign

app = App(name="request", help="Ask for access, look at requests, approve one.")


@app.command
def create(
    *,
    key: KeyFile,
    reader: Annotated[
        tuple[str, ...],
        Parameter(help="Who will open: key file or public key; repeat.", allow_leading_hyphen=True),
    ],
    purpose: Purpose,
    reason: ReasonCode,
    ticket: Annotated[str, Parameter(help="Where the work is tracked.")],
    group: Annotated[tuple[str, ...], Parameter(help="Only these application groups; repeat.")] = (),
    task: Annotated[tuple[str, ...], Parameter(help="Only these task labels; repeat.")] = (),
    tag: Annotated[
        tuple[str, ...], Parameter(help="Only these participants' tags; repeat.", allow_leading_hyphen=True)
    ] = (),
    recording: Annotated[tuple[str, ...], Parameter(help="Only these recordings; repeat.")] = (),
    hours: Annotated[float, Parameter(help="How long the grant is to last.")] = 1.0,
    ceiling: Annotated[int, Parameter(help="Segments an hour at most.")] = 100,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Ask to open segments. The grant that results needs two approvers, none of them you or a reader."""
    client = connect(server)
    signer = signing_key(key)
    now = SystemClock().now()
    programme = client.document().verify(ProgrammeDocument).programme
    request = AccessRequest(
        request=new_id("req"),
        requester=credential_hash(signer),
        scope=Scope(
            programme=programme,
            tags=tag or None,
            recordings=recording or None,
            application_groups=group or None,
            task_labels=task or None,
        ),
        purpose=purpose,
        reason=reason,
        ticket=ticket,
        readers=tuple(credential_of(text) for text in reader),
        not_before=now,
        not_after=now + int(hours * 3_600),
        ceiling=ceiling,
        made_at=now,
    )
    state = client.submit(sign(request, signer))
    emit(
        _summary(state),
        f"{request.request} waits for {state.needed} approvals\n"
        f"an approver types: understudy request approve {request.request} --key FILE",
        as_json=json,
    )


@app.command(name="list")
def list_(*, key: KeyFile, server: ServerUrl = DEFAULT_SERVER, json: Json = False) -> None:
    """List access requests, newest first; for members of the roster."""
    states = connect(server, signing_key(key)).requests()
    shown = table("requests", "request", "state", "approvals", "purpose", "until")
    for state in states:
        asked = _asked(state)
        shown.add_row(
            asked.request,
            state.state,
            f"{state.approvals}/{state.needed}",
            asked.purpose,
            moment(asked.not_after),
        )
    emit([_summary(state) for state in states], shown, as_json=json)


@app.command
def show(request: str, *, key: KeyFile, server: ServerUrl = DEFAULT_SERVER, json: Json = False) -> None:
    """Show one request and the exact grant it would become; for members of the roster."""
    state = connect(server, signing_key(key)).request(request)
    emit(_summary(state), _sentence(state), as_json=json)


@app.command
def approve(
    request: str,
    *,
    key: KeyFile,
    yes: Annotated[bool, Parameter(negative="", help="I have read the grant and approve it.")] = False,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> int:
    """Sign the grant of a request as an approver. Without --yes, only shows what would be signed.

    The grant is checked here against the request that its requester signed; what differs is refused.
    """
    signer = signing_key(key)
    client = connect(server, signer)
    state = client.request(request)
    grant = parse(Grant, octets(state.grant_body))
    _check_same(_asked(state), grant)
    if not yes:
        remark(_sentence(state).replace("\n", "\nunderstudy: "))
        remark("nothing signed: repeat with --yes")
        return 0
    state = client.approve(request, sign(grant, signer))
    emit(
        _summary(state),
        f"signed: {state.approvals} of {state.needed} approvals, the grant is {state.state}",
        as_json=json,
    )
    return 0


def _asked(state: RequestState) -> AccessRequest:
    return state.request.verify(AccessRequest)


def _check_same(asked: AccessRequest, grant: Grant) -> None:
    """Refuse to sign a grant that is wider than, or other than, what was asked."""
    for name in (
        "requester",
        "scope",
        "purpose",
        "reason",
        "label",
        "readers",
        "not_before",
        "not_after",
        "ceiling",
    ):
        if getattr(asked, name) != getattr(grant, name):
            raise UnderstudyError(
                f"the server's grant differs from the signed request in {name}",
                hint="do not approve; report this to the auditor",
            )


def _grant_hash(state: RequestState) -> str:
    if state.grant is not None:
        return state.grant.hash(Grant)
    grant = parse(Grant, octets(state.grant_body))
    return sign(grant).hash(Grant)


def _summary(state: RequestState) -> dict[str, object]:
    asked = _asked(state)
    return {
        "request": asked.request,
        "grant": _grant_hash(state),
        "state": state.state,
        "approvals": state.approvals,
        "needed": state.needed,
        "purpose": asked.purpose,
        "not_after": asked.not_after,
    }


def _sentence(state: RequestState) -> str:
    asked = _asked(state)
    limits = [
        f"{name}: {', '.join(short(value) for value in values)}"
        for name, values in (
            ("participants", asked.scope.tags),
            ("recordings", asked.scope.recordings),
            ("application groups", asked.scope.application_groups),
            ("task labels", asked.scope.task_labels),
        )
        if values is not None
    ]
    return (
        f"{asked.request} ({state.state}, {state.approvals} of {state.needed} approvals)\n"
        f"purpose {asked.purpose}, reason {asked.reason}, ticket {asked.ticket}\n"
        f"readers: {', '.join(short(credential.public_key) for credential in asked.readers)}\n"
        f"scope: {'; '.join(limits) or 'every segment of the programme'}\n"
        f"from {moment(asked.not_before)} until {moment(asked.not_after)}, "
        f"at most {asked.ceiling} segments an hour\n"
        f"grant {_grant_hash(state)}"
    )
