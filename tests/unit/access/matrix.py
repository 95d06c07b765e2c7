"""A bounded matrix of queries: everything that a rule looks at, on both sides of every boundary.

Rules

* Boundaries are enumerated, not sampled: an off-by-one shows only at one value.
* What is likely to interact (who, which grant, when, the switch, standing, consent) is a full product; the
  rest is varied one fact at a time around a query that is allowed.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from msgspec.structs import replace

from tests.cast import PROGRAMME
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
from understudy.consent.consent import StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity, Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.custody.grant import AccessRequest, Grant
from understudy.sealing.signing import document_hash

BEGIN: Final = 10_000
END: Final = 20_000
NOW: Final = 15_000
OTHER_PROGRAMME: Final = "prg_" + "Q" * 22


def name(number: int) -> str:
    """Return some digest."""
    return encode_bytes(bytes([number]) * 32)


def credential(number: int) -> Ed25519Credential:
    """Return some credential."""
    return Ed25519Credential(public_key=name(number))


def credential_hash(number: int) -> str:
    """Return its hash."""
    return document_hash(credential(number))


READER, RESEARCHER, ANNA, BEN, STRANGER, TWIN = (credential_hash(number) for number in range(6))
TAG_A, TAG_B = name(100), name(101)
CONSENT, RECORDING = name(102), "rec_" + "A" * 22
ROLES: Final = (
    "steward",
    "approver",
    "researcher",
    "responder",
    "auditor",
    "service",
    "mirror",
    "lift",
)

FACTS: Final = ProgrammeFacts(
    programme=PROGRAMME,
    purposes=(Purpose.TRAIN, Purpose.EVALUATE),
    grant_seconds=END - BEGIN,
    unused_seconds=30_000,
    open_seconds=600,
    skew_seconds=5,
)
ACTORS: Final = (
    Actor(credential=READER, person="rita", roles=("service",)),
    Actor(credential=RESEARCHER, person="ruben", roles=("researcher", "approver")),
    Actor(credential=STRANGER, person=f":{STRANGER}"),
    Actor(credential=ANNA, person=f":{ANNA}", tags=(TAG_A,)),
    Actor(credential=BEN, person=f":{BEN}", tags=(TAG_B,)),
)


def grant(**changes: Any) -> GrantFacts:
    """Return an approved grant for training, or one whose terms or signatures differ."""
    terms = Grant(
        grant="grt_" + "A" * 22,
        programme=PROGRAMME,
        request=name(103),
        requester=RESEARCHER,
        scope=Scope(programme=PROGRAMME),
        purpose=Purpose.TRAIN,
        reason=ReasonCode.MODEL_IMPROVEMENT,
        readers=(credential(0),),
        not_before=BEGIN,
        not_after=END,
        ceiling=10,
    )
    facts = GrantFacts(
        grant=name(104),
        terms=replace(terms, **{key: value for key, value in changes.items() if hasattr(terms, key)}),
        requester="ruben",
        requester_is_member=True,
        readers=(READER,),
        reader_persons=("rita",),
        signers=(name(105), name(106)),
        approvers=("alice", "ali"),
        other_signers=0,
    )
    own = {"requester", "readers"}
    signed = {key: value for key, value in changes.items() if key in own or not hasattr(terms, key)}
    return replace(facts, **signed)


def own_grant(**changes: Any) -> GrantFacts:
    """Return Anna's self-grant, or one that differs."""
    fields: dict[str, Any] = {
        "scope": Scope(programme=PROGRAMME, tags=(TAG_A,)),
        "purpose": Purpose.OWN,
        "reason": ReasonCode.OWN_COPY,
        "requester": f":{ANNA}",
        "requester_is_member": False,
        "readers": (ANNA,),
        "reader_persons": (f":{ANNA}",),
        "signers": (ANNA,),
        "approvers": (),
        "other_signers": 1,
    }
    return grant(**(fields | changes))


GRANTS: Final = (
    grant(),
    grant(approvers=("alice",)),
    grant(approvers=("alice", "ruben")),
    grant(approvers=("alice", "rita")),
    grant(other_signers=1),
    grant(requester_is_member=False),
    own_grant(),
)

GRANT_VARIANTS: Final = (
    grant(approvers=()),
    grant(approvers=("alice", "ali", "ada")),
    grant(readers=(), reader_persons=()),
    grant(readers=(READER, *(name(150 + n) for n in range(9)))),
    grant(readers=(READER, *(name(150 + n) for n in range(10)))),
    grant(not_before=BEGIN + 1),
    grant(not_before=BEGIN - 1),
    grant(not_before=END),
    grant(not_before=END - 1),
    grant(label="weights"),
    grant(scope=Scope(programme=OTHER_PROGRAMME)),
    *(grant(purpose=purpose, reason=reason) for purpose, reason in product(Purpose, ReasonCode)),
    *(own_grant(reason=reason) for reason in ReasonCode),
    own_grant(scope=Scope(programme=PROGRAMME)),
    own_grant(scope=Scope(programme=PROGRAMME, tags=())),
    own_grant(scope=Scope(programme=PROGRAMME, tags=(TAG_B,))),
    own_grant(scope=Scope(programme=PROGRAMME, tags=(TAG_A, TAG_B))),
    own_grant(readers=(ANNA, BEN)),
    own_grant(readers=(BEN,), reader_persons=(f":{BEN}",)),
    own_grant(signers=(ANNA, BEN)),
    own_grant(signers=(BEN,)),
    own_grant(requester=f":{BEN}"),
    own_grant(requester=f":{ANNA}", approvers=(f":{ANNA}",)),
    *(
        grant(scope=Scope(programme=PROGRAMME, **{field: values}))
        for field, good in (
            ("tags", TAG_A),
            ("recordings", RECORDING),
            ("application_groups", "forms"),
            ("task_labels", "form"),
            ("consents", CONSENT),
        )
        for values in ((), (good,), (good, "other"), ("other",))
    ),
)

SEGMENT: Final = SegmentFacts(
    segment="seg_" + "A" * 22,
    programme=PROGRAMME,
    tag=TAG_A,
    recording=RECORDING,
    application_group="forms",
    task_label="form",
    consent=CONSENT,
    label="raw",
    consented=(Purpose.TRAIN,),
    standing=StandingState.ACTIVE,
)
SEGMENT_VARIANTS: Final = (
    replace(SEGMENT, tag=TAG_B),
    replace(SEGMENT, tag=None),
    replace(SEGMENT, programme=OTHER_PROGRAMME),
    replace(SEGMENT, label="derived"),
    replace(SEGMENT, recording="other"),
    replace(SEGMENT, application_group="other"),
    replace(SEGMENT, task_label="other"),
    replace(SEGMENT, consent="other"),
    replace(SEGMENT, consented=(Purpose.EVALUATE,)),
    replace(SEGMENT, consented=tuple(Purpose)),
)

OPEN: Final = OpenQuery(
    actor=ACTORS[0],
    now=NOW,
    programme=FACTS,
    grant=GRANTS[0],
    segment=SEGMENT,
    is_revoked=False,
    in_force_at=BEGIN,
    off=(),
    reason=ReasonCode.MODEL_IMPROVEMENT,
    request_not_after=NOW + 600,
    segments=3,
    opened_this_hour=7,
)
OFFS: Final = ((), (Activity.READS,), (Activity.OWN_READS,), (Activity.CAPTURE, Activity.INGEST))
TIMES: Final = (BEGIN - 1, BEGIN, END - 1, END)
OPEN_OWN: Final = replace(OPEN, actor=ACTORS[3], grant=own_grant(), reason=ReasonCode.OWN_COPY)


def queries() -> Iterator[Query]:
    """Yield every query of the matrix; those that vary one fact come first."""
    yield from _requests()
    yield from _approvals()
    yield from _operations()
    yield from _single_facts()
    yield from _grants()
    yield from _product()


def _requests() -> Iterator[Query]:
    asked = AccessRequest(
        request="req_" + "A" * 22,
        requester=RESEARCHER,
        scope=Scope(programme=PROGRAMME),
        purpose=Purpose.TRAIN,
        reason=ReasonCode.MODEL_IMPROVEMENT,
        ticket="T-1",
        readers=(credential(0),),
        not_before=BEGIN,
        not_after=END,
        ceiling=10,
        made_at=NOW,
    )
    query = RequestQuery(actor=ACTORS[1], now=NOW, programme=FACTS, asked=asked)
    yield query
    for role in ROLES:
        yield replace(query, actor=replace(ACTORS[1], roles=(role,)))
    for actor in ACTORS:
        yield replace(query, actor=actor)
    for purpose, reason in product(Purpose, ReasonCode):
        yield replace(query, asked=replace(asked, purpose=purpose, reason=reason))
        offering = replace(FACTS, purposes=tuple(Purpose))
        yield replace(query, programme=offering, asked=replace(asked, purpose=purpose, reason=reason))
    for changes in (
        {"requester": READER},
        {"scope": Scope(programme=OTHER_PROGRAMME)},
        {"label": "weights"},
        {"readers": ()},
        {"readers": tuple(credential(n) for n in range(10))},
        {"readers": tuple(credential(n) for n in range(11))},
        {"readers": (credential(0), credential(0))},
        {"made_at": NOW + 5},
        {"made_at": NOW + 6},
        {"not_before": END - 1},
        {"not_before": END},
        {"not_before": END + 1},
        {"not_before": BEGIN - 1},
        {"not_before": BEGIN + 1},
        {"not_after": NOW},
        {"not_after": NOW + 1},
        {"not_after": NOW - 1},
    ):
        yield replace(query, asked=replace(asked, **changes))


def _approvals() -> Iterator[Query]:
    query = ApproveQuery(
        actor=Actor(credential=TWIN, person="alice", roles=("approver",)),
        now=NOW,
        programme=FACTS,
        request="req_" + "A" * 22,
        requester="ruben",
        readers=("rita", "rob"),
        received_at=BEGIN,
        not_after=END,
    )
    people = ("alice", "ruben", "rita", "rob", f":{TWIN}")
    times = (NOW, END - 1, END, END + 1)
    for person, role, now in product(people, ROLES, times):
        yield replace(query, actor=Actor(credential=TWIN, person=person, roles=(role,)), now=now)
    for age in (29_999, 30_000, 30_001):
        yield replace(query, now=BEGIN + age, not_after=BEGIN + 90_000)


def _operations() -> Iterator[Query]:
    for role in ("", *ROLES):
        actor = Actor(credential=TWIN, person="alice", roles=(role,) if role else (), tags=(TAG_A,))
        yield OperateQuery(actor=actor, programme=FACTS, what="readLog")
        yield OperateQuery(actor=actor, programme=FACTS, what="suspend")
        for lifters, threshold in product((0, 1, 2, 3), (0, 1, 2)):
            yield LiftQuery(actor=actor, programme=FACTS, lifters=lifters, threshold=threshold)
        abouts, parties = (TWIN, READER), ((), (TWIN,), (READER,), (TWIN, READER), (BEN, READER))
        for about, tag, named, supposes in product(abouts, (None, TAG_A, TAG_B), parties, (False, True)):
            yield ExplainQuery(
                actor=actor, programme=FACTS, about=about, tag=tag, parties=named, supposes_consent=supposes
            )
    for actor, segment in product(ACTORS, (SEGMENT, *SEGMENT_VARIANTS)):
        yield FetchOwnQuery(actor=actor, segment=segment)


def _grants() -> Iterator[Query]:
    times = (BEGIN - 1, NOW, END - 1, END, END + 1)
    for facts, actor, now in product((*GRANTS, *GRANT_VARIANTS), (ACTORS[1], ACTORS[3]), times):
        yield GrantQuery(actor=actor, now=now, programme=FACTS, grant=facts)
    for facts in (*GRANTS, *GRANT_VARIANTS):
        offering = replace(FACTS, purposes=tuple(Purpose))
        yield GrantQuery(actor=ACTORS[1], now=NOW, programme=offering, grant=facts)


def _single_facts() -> Iterator[Query]:
    """Vary one fact of a read that is allowed, for the reader and for the participant."""
    for query in (OPEN, OPEN_OWN):
        variants: list[OpenQuery] = [query]
        variants += [replace(query, segment=segment) for segment in SEGMENT_VARIANTS]
        variants += [replace(query, is_revoked=True)]
        variants += [replace(query, in_force_at=NOW - age) for age in (29_999, 30_000, 30_001)]
        variants += [replace(query, request_not_after=NOW + s) for s in (-1, 0, 1, 605, 606)]
        variants += [replace(query, opened_this_hour=used) for used in (0, 6, 7, 8)]
        variants += [replace(query, segments=count) for count in (2, 3, 4)]
        variants += [replace(query, reason=reason) for reason in ReasonCode]
        variants += [replace(query, off=off) for off in OFFS]
        variants += [replace(query, segment=replace(SEGMENT, standing=state)) for state in StandingState]
        variants += [replace(query, now=now, request_not_after=now + 600) for now in TIMES]
        variants += [replace(query, grant=facts) for facts in (*GRANTS, *GRANT_VARIANTS)]
        yield from variants
        yield from (as_fetch(variant) for variant in variants)
    for facts, actor in product(GRANT_VARIANTS, ACTORS):
        yield replace(OPEN, grant=facts, actor=actor, reason=facts.terms.reason)


def _product() -> Iterator[Query]:
    for facts, actor, now, off, standing, consented in product(
        GRANTS, ACTORS, TIMES, OFFS, StandingState, ((), (Purpose.TRAIN,))
    ):
        yield replace(
            OPEN,
            actor=actor,
            now=now,
            request_not_after=now + 600,
            grant=facts,
            reason=facts.terms.reason,
            segment=replace(SEGMENT, standing=standing, consented=consented),
            off=off,
        )


def as_fetch(query: OpenQuery) -> FetchQuery:
    """Return the same question about ciphertext."""
    return FetchQuery(
        actor=query.actor,
        now=query.now,
        programme=query.programme,
        grant=query.grant,
        segment=query.segment,
        is_revoked=query.is_revoked,
        in_force_at=query.in_force_at,
        off=query.off,
    )
