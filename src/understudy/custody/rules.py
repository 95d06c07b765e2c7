"""The rules of release: pure decisions over facts, one function a rule.

Rules

* Every rule looks at ``Facts`` and names the reason it refuses for, or ``None``. All have to agree; the
  first refusal, in the order of ``RULES``, is the answer.
* Facts are verified before they come here: the entry is witnessed and admitted, openings recompute,
  signatures on grant and request are right, headers are the deposited ones. A rule decides what they mean.
* A rule refuses what it does not understand. Taking any one of them away lets something through that a test
  names.
* ``own`` is the participant's way to their own recordings: no approvers, no roster, not stopped by their
  own standing, and stopped by the switch only if ``own-reads`` is named. Everything else holds for it too.

Example: ``decide(facts)`` is ``Allowed`` or ``Refused(reason, hint)``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.consent.consent import Consent, StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.decisions import Allowed, Decision, Refused
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.programme import Role
from understudy.consent.purposes import OFFERED, Activity, Purpose
from understudy.custody.enrolments import may_read_own
from understudy.custody.entry import Entry
from understudy.custody.grant import APPROVALS_FOR_RAW, RAW, Grant, OpenRequest, segments_root
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.sealing.header import SealContext
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.signing import document_hash


@dataclass(frozen=True, slots=True)
class Documents:
    """Grant and request of an entry, their signatures verified."""

    grant: Grant
    grant_hash: str
    grant_signers: frozenset[str]
    request: OpenRequest
    request_hash: str
    request_signers: frozenset[str]
    reader: HpkePublicKey


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment of the entry, as this custodian holds it."""

    tag: str
    """The tag of the opening that names it."""
    seal: SealContext | None
    """The deposited header's; None if nothing was deposited under this id."""
    consent: Consent | None
    is_withdrawn: bool
    is_erased: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One participant of the entry."""

    standing: StandingState
    record: EnrolmentRecord


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a release is decided on."""

    now: int
    pinned: Pinned
    entry: Entry
    documents: Documents
    pieces: Sequence[Piece]
    people: Mapping[str, Person]
    off: frozenset[Activity]
    queued: int
    is_forked: bool
    is_revoked: bool
    is_request_released: bool
    released_this_hour: int

    @property
    def is_own(self) -> bool:
        """Whether this is a participant's look at their own recordings."""
        return self.documents.grant.purpose is Purpose.OWN


Rule = Callable[[Facts], RefusalReason | None]


def log_has_one_history(facts: Facts) -> RefusalReason | None:
    """Nothing is released once log and witnesses were seen to sign two histories."""
    return RefusalReason.LOG_FORKED if facts.is_forked else None


def switch_is_on(facts: Facts) -> RefusalReason | None:
    """Reads are on; for one's own recordings, own reads are."""
    stopped = Activity.OWN_READS if facts.is_own else Activity.READS
    return RefusalReason.SWITCH_OFF if stopped in facts.off else None


def switch_is_logged(facts: Facts) -> RefusalReason | None:
    """Every change of the switch is in the log."""
    return RefusalReason.SWITCH_QUEUE if facts.queued else None


def request_is_new(facts: Facts) -> RefusalReason | None:
    """One release per request, whatever entries name it."""
    return RefusalReason.ALREADY_RELEASED if facts.is_request_released else None


def clocks_agree(facts: Facts) -> RefusalReason | None:
    """The entry is not from the future by more than the tolerated skew."""
    latest = facts.now + facts.pinned.document.delays.clock_skew_seconds
    return RefusalReason.CLOCK if facts.entry.leaf.time > latest else None


def request_has_not_expired(facts: Facts) -> RefusalReason | None:
    """Past ``not_after`` a new request is needed."""
    return RefusalReason.REQUEST_EXPIRED if facts.now > facts.entry.leaf.not_after else None


def request_is_short(facts: Facts) -> RefusalReason | None:
    """``not_after`` is at most ``open_seconds`` after the entry's time, give or take the skew."""
    leaf, delays = facts.entry.leaf, facts.pinned.document.delays
    longest = delays.open_seconds + delays.clock_skew_seconds
    return RefusalReason.REQUEST_TOO_LONG if leaf.not_after - leaf.time > longest else None


def grant_is_the_entrys(facts: Facts) -> RefusalReason | None:
    """The entry says in clear what the grant says: programme, purpose and label."""
    leaf, grant = facts.entry.leaf, facts.documents.grant
    programme = facts.pinned.document.programme
    matches = (
        facts.documents.grant_hash == leaf.grant == facts.documents.request.grant
        and grant.programme == programme
        and grant.purpose == leaf.purpose
        and grant.label == leaf.object
    )
    return None if matches else RefusalReason.GRANT_MISMATCH


def request_is_the_entrys(facts: Facts) -> RefusalReason | None:
    """The entry says in clear what the request says: actor, ephemeral key, programme and end."""
    leaf, documents = facts.entry.leaf, facts.documents
    request = documents.request
    matches = (
        documents.request_hash == leaf.request
        and request.programme == facts.pinned.document.programme
        and request.credential == leaf.actor
        and documents.reader.key_hash == leaf.reader_key
        and leaf.not_after <= request.not_after
    )
    return None if matches else RefusalReason.REQUEST_MISMATCH


def segments_are_the_requests(facts: Facts) -> RefusalReason | None:
    """The entry opens exactly the segments that the reader signed for."""
    request, segments = facts.documents.request, facts.entry.segments
    matches = request.segments == len(segments) and request.segments_root == segments_root(segments)
    return None if matches else RefusalReason.REQUEST_MISMATCH


def reader_is_named(facts: Facts) -> RefusalReason | None:
    """The request is signed by one credential, and the grant names it as a reader."""
    documents = facts.documents
    for credential in documents.grant.readers:
        if isinstance(credential, Ed25519Credential) and documents.request_signers == {credential.public_key}:
            named = document_hash(credential) == documents.request.credential
            return None if named else RefusalReason.READER_UNKNOWN
    return RefusalReason.READER_UNKNOWN


def grant_has_begun(facts: Facts) -> RefusalReason | None:
    """The grant's time has come, give or take the skew."""
    latest = facts.now + facts.pinned.document.delays.clock_skew_seconds
    return RefusalReason.GRANT_NOT_YET if facts.documents.grant.not_before > latest else None


def grant_has_not_expired(facts: Facts) -> RefusalReason | None:
    """The grant's time is not over."""
    return RefusalReason.GRANT_EXPIRED if facts.now > facts.documents.grant.not_after else None


def grant_is_short(facts: Facts) -> RefusalReason | None:
    """A grant lasts at most ``grant_seconds``."""
    grant = facts.documents.grant
    too_long = grant.not_after - grant.not_before > facts.pinned.document.delays.grant_seconds
    return RefusalReason.GRANT_TOO_LONG if too_long else None


def grant_is_not_revoked(facts: Facts) -> RefusalReason | None:
    """No roster member revoked the grant. A self-grant is nobody else's to revoke."""
    return RefusalReason.REVOKED if facts.is_revoked and not facts.is_own else None


def label_is_raw(facts: Facts) -> RefusalReason | None:
    """What is deposited here are recorded segments; a grant for something else opens none of them."""
    return None if facts.documents.grant.label == RAW else RefusalReason.OBJECT_LABEL


def purpose_is_offered(facts: Facts) -> RefusalReason | None:
    """The purpose is one a programme may offer, and this one does."""
    purpose = facts.documents.grant.purpose
    offered = purpose in OFFERED and purpose in facts.pinned.document.terms.purposes
    return None if facts.is_own or offered else RefusalReason.PURPOSE_NOT_OFFERED


def requester_is_known(facts: Facts) -> RefusalReason | None:
    """The requester is on the roster, so that "never the requester" means somebody."""
    known = facts.documents.grant.requester in facts.pinned.credentials
    return None if facts.is_own or known else RefusalReason.REQUESTER_UNKNOWN


def signers_approve(facts: Facts) -> RefusalReason | None:
    """Nobody but approvers of the roster signed the grant."""
    members = facts.pinned.members
    for key in facts.documents.grant_signers:
        if not facts.is_own and (key not in members or Role.APPROVER not in members[key].member.roles):
            return RefusalReason.APPROVER_UNKNOWN
    return None


def approvers_did_not_request(facts: Facts) -> RefusalReason | None:
    """No approver is the requester."""
    requested = facts.documents.grant.requester in _approvers(facts)
    return RefusalReason.APPROVER_IS_REQUESTER if requested and not facts.is_own else None


def approvers_do_not_read(facts: Facts) -> RefusalReason | None:
    """No approver is one of the readers."""
    readers = {document_hash(credential) for credential in facts.documents.grant.readers}
    reads = bool(readers & _approvers(facts))
    return RefusalReason.APPROVER_IS_READER if reads and not facts.is_own else None


def approvals_suffice(facts: Facts) -> RefusalReason | None:
    """Two different approvers signed."""
    enough = len(_approvers(facts)) >= APPROVALS_FOR_RAW
    return None if facts.is_own or enough else RefusalReason.APPROVALS


def own_grant_is_ones_own(facts: Facts) -> RefusalReason | None:
    """A self-grant: one tag, one reader, who is that participant and alone signed it."""
    if not facts.is_own:
        return None
    grant, openings = facts.documents.grant, facts.entry.openings
    tag = openings[0].tag
    if len(openings) != 1 or grant.scope.tags != (tag,) or len(grant.readers) != 1:
        return RefusalReason.OWN_GRANT
    reader = grant.readers[0]
    is_one = (
        isinstance(reader, Ed25519Credential)
        and facts.documents.grant_signers == {reader.public_key}
        and may_read_own(facts.people[tag].record, reader.public_key)
    )
    return None if is_one else RefusalReason.OWN_GRANT


def segments_are_here(facts: Facts) -> RefusalReason | None:
    """Every segment was deposited here and is not erased."""
    if any(piece.is_erased for piece in facts.pieces):
        return RefusalReason.ERASED
    return RefusalReason.UNKNOWN_SEGMENT if any(piece.seal is None for piece in facts.pieces) else None


def segments_are_their_own(facts: Facts) -> RefusalReason | None:
    """Every segment stands under the participant whose deposited header carries it."""
    foreign = any(piece.seal is not None and piece.seal.tag != piece.tag for piece in facts.pieces)
    return RefusalReason.FOREIGN_SEGMENT if foreign else None


def scope_covers(facts: Facts) -> RefusalReason | None:
    """The grant's scope covers every deposited header."""
    for piece in facts.pieces:
        if piece.seal is not None:
            covered = facts.documents.grant.scope.covers(piece.seal)
            if isinstance(covered, Refused):
                return RefusalReason(covered.reason)
    return None


def purpose_was_consented(facts: Facts) -> RefusalReason | None:
    """Each consent version includes the purpose."""
    purpose = facts.documents.grant.purpose
    for piece in facts.pieces:
        if not facts.is_own and (piece.consent is None or purpose not in piece.consent.purposes):
            return RefusalReason.PURPOSE_NOT_CONSENTED
    return None


def consents_stand(facts: Facts) -> RefusalReason | None:
    """No consent in question was withdrawn."""
    withdrawn = any(piece.is_withdrawn for piece in facts.pieces)
    return RefusalReason.NOT_AVAILABLE if withdrawn and not facts.is_own else None


def participants_stand(facts: Facts) -> RefusalReason | None:
    """Nobody concerned has paused, objected or withdrawn. It does not close one's own recordings.

    Which of them, or whether only a consent ended, is nobody's business: the reason is one and the same.
    """
    closed = any(person.standing is not StandingState.ACTIVE for person in facts.people.values())
    return RefusalReason.NOT_AVAILABLE if closed and not facts.is_own else None


def ceiling_holds(facts: Facts) -> RefusalReason | None:
    """The segments released under the grant within the hour stay below its ceiling."""
    total = facts.released_this_hour + len(facts.pieces)
    return RefusalReason.CEILING if total > facts.documents.grant.ceiling else None


RULES: Final[tuple[Rule, ...]] = (
    log_has_one_history,
    switch_is_on,
    switch_is_logged,
    request_is_new,
    clocks_agree,
    request_has_not_expired,
    request_is_short,
    grant_is_the_entrys,
    request_is_the_entrys,
    segments_are_the_requests,
    reader_is_named,
    grant_has_begun,
    grant_has_not_expired,
    grant_is_short,
    grant_is_not_revoked,
    label_is_raw,
    purpose_is_offered,
    requester_is_known,
    signers_approve,
    approvers_did_not_request,
    approvers_do_not_read,
    approvals_suffice,
    own_grant_is_ones_own,
    segments_are_here,
    segments_are_their_own,
    scope_covers,
    purpose_was_consented,
    consents_stand,
    participants_stand,
    ceiling_holds,
)
"""Every rule, in the order in which a refusal is told."""


def decide(facts: Facts, rules: Sequence[Rule] = RULES) -> Decision:
    """Return ``Allowed``, or ``Refused`` with the first rule that says no."""
    for rule in rules:
        reason = rule(facts)
        if reason is not None:
            return Refused(reason=reason.value, hint=reason.hint)
    return Allowed(because=tuple(rule.__name__.replace("_", "-") for rule in rules))


def _approvers(facts: Facts) -> frozenset[str]:
    """Return the credential hashes of the roster members that signed the grant."""
    members = facts.pinned.members
    return frozenset(members[key].credential for key in facts.documents.grant_signers if key in members)
