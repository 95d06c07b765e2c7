"""An access request as an approver must know it before signing: who asks, who would read, and what exactly.

Rules

* The server is not believed. The request is signed by one key, the one whose credential it names as its
  requester; that credential is on the roster of the pinned programme document, with a role that may ask.
* The grant is the request, field by field; only its own id is the server's. It names the request by its hash,
  and this programme.
* The roster's names stand for keys; whoever is not on it is shown by the whole public key.

Example: ``checked_request(state, document, "req_…").requester.name`` is who asks.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from understudy.client.errors import EntryError
from understudy.consent.credentials import Credential, Ed25519Credential
from understudy.consent.programme import ProgrammeDocument, Role, RosterMember
from understudy.contract.messages import RequestState
from understudy.custody.grant import AccessRequest, Grant
from understudy.sealing.canonical import octets, parse
from understudy.sealing.signing import document_hash

REQUESTERS: Final = frozenset({Role.RESEARCHER, Role.STEWARD, Role.SERVICE})
"""The roles of which a requester has one."""

_HINT: Final = "do not approve; report this to the auditor"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and its grant, verified against a pinned programme document."""

    request: AccessRequest
    grant: Grant
    requester: RosterMember
    readers: tuple[tuple[Credential, RosterMember | None], ...]
    """Each reader's credential, and who that is if the roster knows."""


def checked_request(state: RequestState, document: ProgrammeDocument, request: str = "") -> Asked:
    """Return what a request asks for, after checking who asks it and that the grant is the same.

    Args:
        state: the server's answer.
        document: the pinned programme document.
        request: the id that was asked for; empty for any.

    Raises:
        EntryError: another request, another signer than its requester, a requester who is not on the roster
            or may not ask, or a grant that differs from what was asked.
        SignatureError: a signature on it is wrong.
        FormatError: not a request or not a grant.
    """
    asked = state.request.verify(AccessRequest)
    if request and asked.request != request:
        raise EntryError("the server shows another request than the one asked for", hint=_HINT)
    signers = {document_hash(Ed25519Credential(public_key=key)) for key in state.request.signers}
    if signers != {asked.requester}:
        raise EntryError("the request is not signed by the requester it names, alone", hint=_HINT)
    members = {document_hash(member.credential): member for member in document.roster}
    requester = members.get(asked.requester)
    if requester is None:
        raise EntryError("the requester is not on the roster of the programme document", hint=_HINT)
    if REQUESTERS.isdisjoint(requester.roles):
        raise EntryError(f"{requester.name} has no role that may ask for access", hint=_HINT)
    grant = _checked_grant(state, asked, document)
    readers = tuple((reader, members.get(document_hash(reader))) for reader in asked.readers)
    return Asked(request=asked, grant=grant, requester=requester, readers=readers)


def _checked_grant(state: RequestState, asked: AccessRequest, document: ProgrammeDocument) -> Grant:
    """Return the grant, if it is what the request asks for in this programme and nothing else."""
    raw = octets(state.grant_body)
    grant = parse(Grant, raw)
    expected = Grant(
        grant=grant.grant,
        programme=document.programme,
        request=state.request.hash(AccessRequest),
        requester=asked.requester,
        scope=asked.scope,
        purpose=asked.purpose,
        reason=asked.reason,
        label=asked.label,
        readers=asked.readers,
        not_before=asked.not_before,
        not_after=asked.not_after,
        ceiling=asked.ceiling,
    )
    for field in msgspec.structs.fields(Grant):
        if getattr(grant, field.name) != getattr(expected, field.name):
            raise EntryError(
                f"the server's grant differs from the signed request in {field.name}", hint=_HINT
            )
    if asked.scope.programme != document.programme:
        raise EntryError("the request is about another programme", hint=_HINT)
    if state.grant is not None and state.grant.raw != raw:
        raise EntryError("the grant in force is not the one that was approved", hint=_HINT)
    return grant
