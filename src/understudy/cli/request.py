"""``understudy request``: ask for access, look at requests, approve one.

Rules

* What is shown and signed was verified here: the requester's signature and place on the roster, and the
  grant, field by field, against the request (``client.asked``). The server only carries it.
* Names are those of the roster of the programme document (``--document``); whoever is not on it is shown by
  the whole public key.
"""

from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli.connect import (
    DEFAULT_SERVER,
    KeyFile,
    PinnedFile,
    ServerUrl,
    connect,
    credential_hash,
    credential_of,
    pinned_document,
    signing_key,
)
from understudy.cli.output import Json, emit, moment, remark, table
from understudy.client.asked import Asked, checked_request
from understudy.consent.clock import SystemClock
from understudy.consent.credentials import Credential
from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import new_id
from understudy.consent.programme import RosterMember
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.contract.messages import RequestState
from understudy.custody.grant import AccessRequest
from understudy.sealing.canonical import parse
from understudy.sealing.signing import document_hash, sign

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
    document: PinnedFile = None,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Ask to open segments. The grant that results needs two approvers, none of them you or a reader."""
    client = connect(server)
    signer = signing_key(key)
    now = SystemClock().now()
    pinned = pinned_document(client, document)
    programme = pinned.programme
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
    asked = checked_request(state, pinned, request.request)
    emit(
        _summary(state, asked),
        f"{request.request} waits for {state.needed} approvals\n"
        f"an approver types: understudy request approve {request.request} --key FILE",
        as_json=json,
    )


@app.command(name="list")
def list_(
    *, key: KeyFile, document: PinnedFile = None, server: ServerUrl = DEFAULT_SERVER, json: Json = False
) -> None:
    """List access requests, newest first; for members of the roster.

    A request that does not verify, such as one whose requester has left the roster, is left out and named.
    """
    client = connect(server, signing_key(key))
    pinned = pinned_document(client, document)
    shown = table("requests", "request", "asked by", "state", "approvals", "purpose", "until")
    rows = []
    for state in client.requests():
        try:
            asked = checked_request(state, pinned)
        except UnderstudyError as error:
            remark(f"left out: {_claimed_id(state)}: {error}")
            continue
        shown.add_row(
            asked.request.request,
            asked.requester.name,
            state.state,
            f"{state.approvals}/{state.needed}",
            asked.request.purpose,
            moment(asked.request.not_after),
        )
        rows.append(_summary(state, asked))
    emit(rows, shown, as_json=json)


@app.command
def show(
    request: str,
    *,
    key: KeyFile,
    document: PinnedFile = None,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> None:
    """Show who asks, who would read, and the exact grant it would become; for members of the roster."""
    client = connect(server, signing_key(key))
    pinned = pinned_document(client, document)
    state = client.request(request)
    asked = checked_request(state, pinned, request)
    emit(_summary(state, asked), sentence(state, asked), as_json=json)


@app.command
def approve(
    request: str,
    *,
    key: KeyFile,
    yes: Annotated[bool, Parameter(negative="", help="I have read the grant and approve it.")] = False,
    document: PinnedFile = None,
    server: ServerUrl = DEFAULT_SERVER,
    json: Json = False,
) -> int:
    """Sign the grant of a request as an approver. Without --yes, only shows what would be signed.

    The requester's signature, their place on the roster, and the grant against the request are checked here;
    what differs is refused.
    """
    signer = signing_key(key)
    client = connect(server, signer)
    pinned = pinned_document(client, document)
    state = client.request(request)
    asked = checked_request(state, pinned, request)
    if not yes:
        remark(sentence(state, asked).replace("\n", "\nunderstudy: "))
        remark("nothing signed: repeat with --yes")
        return 0
    state = client.approve(request, sign(asked.grant, signer))
    emit(
        _summary(state, asked),
        f"signed: {state.approvals} of {state.needed} approvals, the grant is {state.state}",
        as_json=json,
    )
    return 0


def sentence(state: RequestState, asked: Asked) -> str:
    """Return a verified request in words: what an approver reads before signing."""
    terms = asked.grant
    limits = [
        f"{name}: {', '.join(values)}"
        for name, values in (
            ("participants", terms.scope.tags),
            ("recordings", terms.scope.recordings),
            ("application groups", terms.scope.application_groups),
            ("task labels", terms.scope.task_labels),
            ("consents", terms.scope.consents),
        )
        if values is not None
    ]
    readers = "\n".join(f"read by {_who(credential, member)}" for credential, member in asked.readers)
    return (
        f"{asked.request.request} ({state.state}, {state.approvals} of {state.needed} approvals)\n"
        f"asked by {_who(asked.requester.credential, asked.requester)}\n"
        f"{readers}\n"
        f"purpose {terms.purpose}, reason {terms.reason}, ticket {asked.request.ticket}\n"
        f"scope: {'; '.join(limits) or 'every segment of the programme'} ({terms.label})\n"
        f"from {moment(terms.not_before)} until {moment(terms.not_after)}, "
        f"at most {terms.ceiling} segments an hour\n"
        f"grant {document_hash(terms)}"
    )


def _who(credential: Credential, member: RosterMember | None) -> str:
    if member is None:
        return f"somebody who is not on the roster, key {credential.public_key}"
    return f"{member.name} ({', '.join(member.roles)}), key {credential.public_key}"


def _summary(state: RequestState, asked: Asked) -> dict[str, object]:
    return {
        "request": asked.request.request,
        "grant": document_hash(asked.grant),
        "state": state.state,
        "approvals": state.approvals,
        "needed": state.needed,
        "requester": asked.requester.name,
        "readers": [credential.public_key for credential, _ in asked.readers],
        "purpose": asked.grant.purpose,
        "not_after": asked.grant.not_after,
    }


def _claimed_id(state: RequestState) -> str:
    """Return the id that an unverified request gives itself, if it can be read at all."""
    try:
        return parse(AccessRequest, state.request.raw).request
    except UnderstudyError:
        return "a request without a readable id"
