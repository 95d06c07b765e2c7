"""What a decision is made from: plain values, gathered by the caller, without any rule in them.

Rules

* Facts are verified before they get here: signatures checked, hashes compared. A policy believes its facts.
* A *person* is a roster member's name. A credential outside the roster is a person of its own, named by a
  colon and its hash; no member's name contains a colon.
* One query type for every action; its fields are exactly what the schema asks for.

Example

>>> Actor(credential="A" * 43, person="ana", roles=("researcher",)).roles
('researcher',)
"""

from typing import ClassVar, Literal

from understudy.access.policy import Action
from understudy.consent.consent import StandingState
from understudy.consent.primitives import Count, Digest, ParticipantTag, ProgrammeId, Time, Value
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity, Purpose, ReasonCode
from understudy.custody.grant import AccessRequest, Grant


class Actor(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who signed: one credential, the person behind it, their roles, and the participants it speaks for."""

    credential: Digest
    person: str
    roles: tuple[str, ...] = ()
    tags: tuple[ParticipantTag, ...] = ()


class ProgrammeFacts(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the programme document in force offers and bounds."""

    programme: ProgrammeId
    purposes: tuple[Purpose, ...]
    grant_seconds: Count
    unused_seconds: Count
    open_seconds: Count
    skew_seconds: Count

    @classmethod
    def of(cls, document: ProgrammeDocument) -> "ProgrammeFacts":
        """Return the facts of ``document``."""
        return cls(
            programme=document.programme,
            purposes=document.terms.purposes,
            grant_seconds=document.delays.grant_seconds,
            unused_seconds=document.delays.grant_unused_seconds,
            open_seconds=document.delays.open_seconds,
            skew_seconds=document.delays.clock_skew_seconds,
        )


class GrantFacts(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A grant and who signed it, as far as the roster in force knows them."""

    grant: Digest
    terms: Grant
    requester: str
    requester_is_member: bool
    readers: tuple[Digest, ...]
    reader_persons: tuple[str, ...]
    signers: tuple[Digest, ...]
    approvers: tuple[str, ...]
    other_signers: Count

    @property
    def approvals(self) -> int:
        """How many different persons approved."""
        return len(set(self.approvers))


class SegmentFacts(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A segment's header fields, and what its participant agreed to.

    ``consented`` is empty unless the consent version named in the header came into force.
    """

    segment: str
    programme: ProgrammeId
    tag: ParticipantTag | None
    recording: str
    application_group: str
    task_label: str
    consent: Digest
    label: str
    consented: tuple[Purpose, ...]
    standing: StandingState


class RequestQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this access request be submitted?"""

    ACTION: ClassVar[Action] = Action.REQUEST

    actor: Actor
    now: Time
    programme: ProgrammeFacts
    asked: AccessRequest


class ApproveQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this person approve this request?"""

    ACTION: ClassVar[Action] = Action.APPROVE

    actor: Actor
    now: Time
    programme: ProgrammeFacts
    request: str
    requester: str
    readers: tuple[str, ...]
    received_at: Time
    not_after: Time


class GrantQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this grant come into force?"""

    ACTION: ClassVar[Action] = Action.GRANT

    actor: Actor
    now: Time
    programme: ProgrammeFacts
    grant: GrantFacts


class FetchQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this reader have the segment's ciphertext under this grant?"""

    ACTION: ClassVar[Action] = Action.FETCH

    actor: Actor
    now: Time
    programme: ProgrammeFacts
    grant: GrantFacts
    segment: SegmentFacts
    is_revoked: bool
    in_force_at: Time
    off: tuple[Activity, ...]


class OpenQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this reader have the segment's key under this grant?

    ``segments`` counts those of the whole request; ``opened_this_hour`` those opened before under the grant.
    """

    ACTION: ClassVar[Action] = Action.OPEN

    actor: Actor
    now: Time
    programme: ProgrammeFacts
    grant: GrantFacts
    segment: SegmentFacts
    is_revoked: bool
    in_force_at: Time
    off: tuple[Activity, ...]
    reason: ReasonCode
    request_not_after: Time
    segments: Count
    opened_this_hour: Count


class FetchOwnQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this participant have the ciphertext of their own segment, without a grant?"""

    ACTION: ClassVar[Action] = Action.FETCH_OWN

    actor: Actor
    segment: SegmentFacts


class OperateQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this credential read raw leaves, or stop something?"""

    actor: Actor
    programme: ProgrammeFacts
    what: Literal["readLog", "suspend"]

    @property
    def ACTION(self) -> Action:  # noqa: N802  (a constant of the other queries)
        """The action asked about."""
        return Action(self.what)


class LiftQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this bundle, signed by so many lift keys, start something again?"""

    ACTION: ClassVar[Action] = Action.LIFT

    actor: Actor
    programme: ProgrammeFacts
    lifters: Count
    threshold: Count


class ExplainQuery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """May this credential ask why another credential may or may not read a participant's segment?

    ``parties`` are requester and readers of every grant in force that covers the segment and names the actor.
    """

    ACTION: ClassVar[Action] = Action.EXPLAIN

    actor: Actor
    programme: ProgrammeFacts
    about: Digest
    tag: ParticipantTag | None = None
    parties: tuple[Digest, ...] = ()
    supposes_consent: bool = False


ReadQuery = FetchQuery | OpenQuery
Query = (
    RequestQuery
    | ApproveQuery
    | GrantQuery
    | ReadQuery
    | FetchOwnQuery
    | OperateQuery
    | LiftQuery
    | ExplainQuery
)
