"""Queries in Cedar's spelling: principal, action, resource, context, and the entities they speak of.

Rules

* Nothing is decided here; every field goes over as it is.
* Entities of one grant under one programme document are parsed once and kept; a decision adds only its actor
  and its segments.
* A scope field that is an empty tuple goes over as an empty set: it covers nothing.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import cedarpy

from understudy.access.facts import (
    Actor,
    ApproveQuery,
    ExplainQuery,
    FetchOwnQuery,
    FetchQuery,
    GrantFacts,
    GrantQuery,
    LiftQuery,
    OpenQuery,
    OperateQuery,
    ProgrammeFacts,
    Query,
    RequestQuery,
    SegmentFacts,
)
from understudy.access.policy import NAMESPACE
from understudy.consent.scope import Scope
from understudy.sealing.signing import document_hash

Json = dict[str, Any]

_KEPT_GRANTS: Final = 256
_SCOPE_FIELDS: Final = {
    "tags": "tags",
    "recordings": "recordings",
    "applicationGroups": "application_groups",
    "taskLabels": "task_labels",
    "consents": "consents",
}


def spell(query: Query) -> Json:
    """Return the request for Cedar."""
    kind, name, context = _resource_and_context(query)
    return {
        "principal": {"type": f"{NAMESPACE}::Credential", "id": query.actor.credential},
        "action": {"type": f"{NAMESPACE}::Action", "id": query.ACTION.value},
        "resource": {"type": f"{NAMESPACE}::{kind}", "id": name},
        "context": context,
    }


def entities(queries: Sequence[Query]) -> cedarpy.Entities:
    """Return what ``queries`` speak of, which all have the first one's programme and grant.

    Raises:
        ValueError: two of them say different things of one credential, request or segment.
    """
    first = queries[0]
    base = _kept(getattr(first, "programme", None), getattr(first, "grant", None))
    added: dict[tuple[str, str], Json] = {}
    for query in queries:
        for entity in _own_entities(query):
            key = (entity["uid"]["type"], entity["uid"]["id"])
            if added.setdefault(key, entity) != entity:
                message = "two descriptions of one entity"
                raise ValueError(message)
    return base.with_added_json_str(json.dumps(list(added.values())))


@lru_cache(maxsize=_KEPT_GRANTS)
def _kept(programme: ProgrammeFacts | None, grant: GrantFacts | None) -> cedarpy.Entities:
    known = []
    if programme is not None:
        known.append(_programme(programme))
    if grant is not None:
        known.append(_grant(grant))
    return cedarpy.Entities.from_json_str(json.dumps(known))


def _resource_and_context(query: Query) -> tuple[str, str, Json]:
    if isinstance(query, RequestQuery):
        return "Programme", query.programme.programme, {"now": query.now, "asked": _asked(query)}
    if isinstance(query, ApproveQuery):
        context = {"now": query.now, "programme": _reference("Programme", query.programme.programme)}
        return "AccessRequest", query.request, context
    if isinstance(query, FetchOwnQuery):
        return "Segment", query.segment.segment, {}
    if isinstance(query, OperateQuery):
        return "Programme", query.programme.programme, {}
    if isinstance(query, LiftQuery):
        context = {"lifters": query.lifters, "threshold": query.threshold}
        return "Programme", query.programme.programme, context
    if isinstance(query, ExplainQuery):
        context = {
            "about": _reference("Credential", query.about),
            "parties": [_reference("Credential", party) for party in query.parties],
            "supposesConsent": query.supposes_consent,
        }
        if query.tag is not None:
            context["tag"] = query.tag
        return "Programme", query.programme.programme, context
    return _grant_context(query)


def _grant_context(query: GrantQuery | FetchQuery | OpenQuery) -> tuple[str, str, Json]:
    context: Json = {
        "now": query.now,
        "programme": _reference("Programme", query.programme.programme),
        "grant": _reference("Grant", query.grant.grant),
    }
    if isinstance(query, GrantQuery):
        return "Programme", query.programme.programme, context
    context["isRevoked"] = query.is_revoked
    context["inForceAt"] = query.in_force_at
    context["off"] = [activity.value for activity in query.off]
    if isinstance(query, OpenQuery):
        context["reason"] = query.reason.value
        context["requestNotAfter"] = query.request_not_after
        context["segments"] = query.segments
        context["openedThisHour"] = query.opened_this_hour
    return "Segment", query.segment.segment, context


def _own_entities(query: Query) -> Iterable[Json]:
    yield _actor(query.actor)
    if isinstance(query, ApproveQuery):
        yield _entity(
            "AccessRequest",
            query.request,
            {
                "requester": query.requester,
                "readers": list(query.readers),
                "receivedAt": query.received_at,
                "notAfter": query.not_after,
            },
        )
    elif isinstance(query, FetchOwnQuery | FetchQuery | OpenQuery):
        yield _segment(query.segment)


def _asked(query: RequestQuery) -> Json:
    asked = query.asked
    readers = [document_hash(reader) for reader in asked.readers]
    return {
        "requester": _reference("Credential", asked.requester),
        "scopeProgramme": asked.scope.programme,
        "purpose": asked.purpose.value,
        "reason": asked.reason.value,
        "label": asked.label,
        "readerCount": len(readers),
        "distinctReaders": len(set(readers)),
        "notBefore": asked.not_before,
        "notAfter": asked.not_after,
        "madeAt": asked.made_at,
    }


def _actor(actor: Actor) -> Json:
    attributes = {"person": actor.person, "roles": list(actor.roles), "tags": list(actor.tags)}
    return _entity("Credential", actor.credential, attributes)


def _programme(facts: ProgrammeFacts) -> Json:
    return _entity(
        "Programme",
        facts.programme,
        {
            "id": facts.programme,
            "purposes": [purpose.value for purpose in facts.purposes],
            "grantSeconds": facts.grant_seconds,
            "unusedSeconds": facts.unused_seconds,
            "openSeconds": facts.open_seconds,
            "skewSeconds": facts.skew_seconds,
        },
    )


def _grant(facts: GrantFacts) -> Json:
    terms = facts.terms
    attributes: Json = {
        "requester": facts.requester,
        "requesterIsMember": facts.requester_is_member,
        "readers": [_reference("Credential", reader) for reader in facts.readers],
        "readerCount": len(facts.readers),
        "readerPersons": list(facts.reader_persons),
        "signers": [_reference("Credential", signer) for signer in facts.signers],
        "approvers": list(facts.approvers),
        "approvals": facts.approvals,
        "otherSigners": facts.other_signers,
        "purpose": terms.purpose.value,
        "reason": terms.reason.value,
        "label": terms.label,
        "notBefore": terms.not_before,
        "notAfter": terms.not_after,
        "ceiling": terms.ceiling,
        "scope": _scope(terms.scope),
    }
    if terms.scope.tags is not None and len(terms.scope.tags) == 1:
        attributes["tag"] = terms.scope.tags[0]
    return _entity("Grant", facts.grant, attributes)


def _scope(scope: Scope) -> Json:
    spelled: Json = {"programme": scope.programme}
    for name, field in _SCOPE_FIELDS.items():
        values = getattr(scope, field)
        if values is not None:
            spelled[name] = list(values)
    return spelled


def _segment(facts: SegmentFacts) -> Json:
    attributes: Json = {
        "programme": facts.programme,
        "recording": facts.recording,
        "applicationGroup": facts.application_group,
        "taskLabel": facts.task_label,
        "consent": facts.consent,
        "label": facts.label,
        "consented": [purpose.value for purpose in facts.consented],
        "standing": facts.standing.value,
    }
    if facts.tag is not None:
        attributes["tag"] = facts.tag
    return _entity("Segment", facts.segment, attributes)


def _entity(kind: str, name: str, attributes: Json) -> Json:
    return {"uid": {"type": f"{NAMESPACE}::{kind}", "id": name}, "attrs": attributes, "parents": []}


def _reference(kind: str, name: str) -> Json:
    return {"__entity": {"type": f"{NAMESPACE}::{kind}", "id": name}}
