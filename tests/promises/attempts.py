"""Ways to a key that each break one rule of release, and the rules that have to stop them.

Rules

* Each attempt is made with everything else in order: the entry is witnessed, the reader genuine, the numbers
  right.
* Under the custodian's rules it ends with ``reason``. With ``rules`` taken away it succeeds, or the attempt
  would prove nothing about them.
* An attempt leaves the scene as it found it, except for the numbers that its entries have used.

Example: ``ATTEMPTS["another reader"].make(broker, custodian)`` is ``'reader-unknown'``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.cast import stranger
from tests.promises.attacker import DishonestBroker
from tests.simulator import Participant
from understudy.consent.consent import StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity, Purpose
from understudy.custody import rules
from understudy.custody.custodian import Custodian
from understudy.custody.grant import Grant, GrantRevocation
from understudy.custody.rules import Rule
from understudy.sealing.signing import Signed, SigningKey, sign

Make = Callable[[DishonestBroker, Custodian], str]
APPROVERS: Final = ("approver-1", "approver-2")
OTHER: Final = encode_bytes(b"another digest of thirty-two byte")[:42] + "A"


@dataclass(frozen=True)
class Attempt:
    """One way, the reason it has to fail for, and the rules without which it would succeed."""

    make: Make
    reason: str
    rules: tuple[Rule, ...]


def _segments(broker: DishonestBroker, participant: Participant | None = None) -> tuple[str, ...]:
    return broker.scene.segments(participant or broker.scene.ana)[:1]


def _open(broker: DishonestBroker, custodian: Custodian, **leaf: Any) -> str:
    """Open one segment of ana's as the genuine reader, with ``leaf`` changed in the entry."""
    segments = _segments(broker)
    asked = broker.ask(segments)
    return broker.bring(
        broker.enter_for(asked, {broker.scene.ana.tag: segments}, **leaf), asked, custodian=custodian
    )


def _under(
    broker: DishonestBroker,
    custodian: Custodian,
    signed: Signed,
    *,
    whose: Participant | None = None,
    by: SigningKey | None = None,
    **leaf: Any,
) -> str:
    """Open one segment under another grant."""
    whose = whose or broker.scene.ana
    segments = _segments(broker, whose)
    asked = broker.ask(segments, by=by, grant=signed.hash(Grant))
    entered = broker.enter_for(asked, {whose.tag: segments}, **leaf)
    return broker.bring(entered, asked, custodian=custodian, grant=signed)


def _changed(*signers: str, **changes: Any) -> Make:
    """Return an attempt under a grant with ``changes``, signed by ``signers``."""

    def make(broker: DishonestBroker, custodian: Custodian) -> str:
        return _under(broker, custodian, broker.grant(*(signers or APPROVERS), **changes))

    return make


def _switched_off(broker: DishonestBroker, custodian: Custodian) -> str:
    world = broker.scene.world
    world.custodian.switch_off(world.order(Activity.READS))
    world.server.flush()
    world.custodian.sync()
    found = _open(broker, custodian)
    world.lift()
    return found


def _unlogged_switch(broker: DishonestBroker, custodian: Custodian) -> str:
    world = broker.scene.world
    world.custodian.switch_off(world.order(Activity.TRAINING))
    found = _open(broker, custodian)
    world.lift()
    return found


def same_request_again(broker: DishonestBroker, custodian: Custodian) -> str:
    """Bring a second entry for a request that was released before."""
    segments = _segments(broker)
    asked, whose = broker.ask(segments), {broker.scene.ana.tag: segments}
    first = broker.bring(broker.enter_for(asked, whose), asked)
    assert first == "released"
    return broker.bring(broker.enter_for(asked, whose), asked, custodian=custodian)


def _from_the_future(broker: DishonestBroker, custodian: Custodian) -> str:
    now = broker.scene.world.clock.now()
    return _open(broker, custodian, time=now + 100)


def _expired(broker: DishonestBroker, custodian: Custodian) -> str:
    now = broker.scene.world.clock.now()
    return _open(broker, custodian, not_after=now - 1)


def _valid_for_days(broker: DishonestBroker, custodian: Custodian) -> str:
    segments, now = _segments(broker), broker.scene.world.clock.now()
    asked = broker.ask(segments, not_after=now + 86_400)
    entered = broker.enter_for(asked, {broker.scene.ana.tag: segments})
    return broker.bring(entered, asked, custodian=custodian)


def _more_than_asked(broker: DishonestBroker, custodian: Custodian) -> str:
    segments = broker.scene.segments(broker.scene.ana)
    asked = broker.ask(segments[:1])
    return broker.bring(broker.enter_for(asked, {broker.scene.ana.tag: segments}), asked, custodian=custodian)


def _another_reader(broker: DishonestBroker, custodian: Custodian) -> str:
    segments = _segments(broker)
    asked = broker.ask(segments, by=broker.scene.world.cast.server)
    entered = broker.enter_for(asked, {broker.scene.ana.tag: segments})
    return broker.bring(entered, asked, custodian=custodian)


def _not_yet(broker: DishonestBroker, custodian: Custodian) -> str:
    now = broker.scene.world.clock.now()
    return _changed(not_before=now + 600, not_after=now + 1_200)(broker, custodian)


def _over(broker: DishonestBroker, custodian: Custodian) -> str:
    now = broker.scene.world.clock.now()
    return _changed(not_before=now - 600, not_after=now - 1)(broker, custodian)


def _for_weeks(broker: DishonestBroker, custodian: Custodian) -> str:
    now = broker.scene.world.clock.now()
    return _changed(not_before=now, not_after=now + 14 * 86_400)(broker, custodian)


def _revoked(broker: DishonestBroker, custodian: Custodian) -> str:
    world = broker.scene.world
    grant = broker.grant(*APPROVERS)
    revocation = GrantRevocation(
        programme=world.programme.programme, grant=grant.hash(Grant), made_at=world.clock.now()
    )
    world.custodian.revoke(sign(revocation, world.cast.person("steward")))
    return _under(broker, custodian, grant)


def _label(broker: DishonestBroker, custodian: Custodian) -> str:
    return _under(broker, custodian, broker.grant(*APPROVERS, label="release"), object="release")


def _purpose_not_offered(broker: DishonestBroker, custodian: Custodian) -> str:
    """Not offered by this programme; nobody can have consented to it, so two rules look at it."""
    purpose = Purpose.RESEARCH_ON_SAFETY
    return _under(broker, custodian, broker.grant(*APPROVERS, purpose=purpose), purpose=purpose)


def _unknown_approver(broker: DishonestBroker, custodian: Custodian) -> str:
    grant = broker.grant(*APPROVERS)
    return _under(broker, custodian, grant.with_signature(Grant, stranger()))


def _requester_approves(broker: DishonestBroker, custodian: Custodian) -> str:
    requester = broker.scene.world.cast.credential_hash("approver-3")
    return _changed("approver-1", "approver-2", "approver-3", requester=requester)(broker, custodian)


def _reader_approves(broker: DishonestBroker, custodian: Custodian) -> str:
    cast = broker.scene.world.cast
    readers = (cast.credential("reader"), cast.credential("approver-2"))
    return _changed(readers=readers)(broker, custodian)


def _own_of_others(broker: DishonestBroker, custodian: Custodian) -> str:
    """Whoever calls somebody else's recordings their own needs no approver."""
    key = stranger()
    grant = sign(_own_terms(broker, key), key)
    return _under(broker, custodian, grant, by=key, purpose=Purpose.OWN)


def _own_terms(broker: DishonestBroker, key: SigningKey) -> Grant:
    credential = Ed25519Credential(public_key=key.public)
    scope = broker.scene.world.scope(tags=(broker.scene.ana.tag,))
    changed = broker.grant("approver-1", purpose=Purpose.OWN, readers=(credential,), scope=scope)
    return changed.verify(Grant)


def _under_anothers_number(broker: DishonestBroker, custodian: Custodian) -> str:
    """Ana's segment, in an entry that only ben would see."""
    segments = _segments(broker)
    asked = broker.ask(segments)
    return broker.bring(broker.enter_for(asked, {broker.scene.ben.tag: segments}), asked, custodian=custodian)


def _outside_the_scope(broker: DishonestBroker, custodian: Custodian) -> str:
    scope = broker.scene.world.scope(tags=(broker.scene.ben.tag,))
    return _changed(scope=scope)(broker, custodian)


def _consented_to_something_else(broker: DishonestBroker, custodian: Custodian) -> str:
    return _under(broker, custodian, broker.scene.signed_grant, whose=broker.scene.narrow)


def _withdrawn_and_back(broker: DishonestBroker, custodian: Custodian) -> str:
    """Withdrawing ends that consent for good, whatever the participant says later about something new."""
    returned = broker.scene.returned
    if broker.scene.world.server.programme.standing(returned.tag) is StandingState.ACTIVE:
        returned.stand(StandingState.WITHDRAWN)
        returned.stand(StandingState.ACTIVE)
    return _under(broker, custodian, broker.scene.signed_grant, whose=returned)


def _paused(broker: DishonestBroker, custodian: Custodian) -> str:
    paused = broker.scene.paused
    paused.stand(StandingState.PAUSED)
    return _under(broker, custodian, broker.scene.signed_grant, whose=paused)


def _above_the_ceiling(broker: DishonestBroker, custodian: Custodian) -> str:
    grant = broker.grant(*APPROVERS, ceiling=1)
    assert _under(broker, broker.custodian, grant) == "released"
    return _under(broker, custodian, grant)


ATTEMPTS: Final[dict[str, Attempt]] = {
    "reads are switched off": Attempt(_switched_off, "switch-off", (rules.switch_is_on,)),
    "the switch is not logged": Attempt(_unlogged_switch, "switch-queue", (rules.switch_is_logged,)),
    "an entry from the future": Attempt(_from_the_future, "clock", (rules.clocks_agree,)),
    "an expired entry": Attempt(_expired, "request-expired", (rules.request_has_not_expired,)),
    "an entry valid for days": Attempt(_valid_for_days, "request-too-long", (rules.request_is_short,)),
    "another purpose in the log": Attempt(
        lambda broker, custodian: _open(broker, custodian, purpose=Purpose.EVALUATE),
        "grant-mismatch",
        (rules.grant_is_the_entrys,),
    ),
    "another object in the log": Attempt(
        lambda broker, custodian: _open(broker, custodian, object="weights"),
        "grant-mismatch",
        (rules.grant_is_the_entrys,),
    ),
    "another actor in the log": Attempt(
        lambda broker, custodian: _open(broker, custodian, actor=OTHER),
        "request-mismatch",
        (rules.request_is_the_entrys,),
    ),
    "another reader key in the log": Attempt(
        lambda broker, custodian: _open(broker, custodian, reader_key=OTHER),
        "request-mismatch",
        (rules.request_is_the_entrys,),
    ),
    "more segments than asked for": Attempt(
        _more_than_asked, "request-mismatch", (rules.segments_are_the_requests,)
    ),
    "another reader": Attempt(_another_reader, "reader-unknown", (rules.reader_is_named,)),
    "a grant before its time": Attempt(_not_yet, "grant-not-yet", (rules.grant_has_begun,)),
    "an expired grant": Attempt(_over, "grant-expired", (rules.grant_has_not_expired,)),
    "a grant for weeks": Attempt(_for_weeks, "grant-too-long", (rules.grant_is_short,)),
    "a revoked grant": Attempt(_revoked, "revoked", (rules.grant_is_not_revoked,)),
    "a grant for other objects": Attempt(_label, "object-label", (rules.label_is_raw,)),
    "a purpose not offered": Attempt(
        _purpose_not_offered,
        "purpose-not-offered",
        (rules.purpose_is_offered, rules.purpose_was_consented),
    ),
    "a requester nobody knows": Attempt(
        _changed(requester=OTHER), "requester-unknown", (rules.requester_is_known,)
    ),
    "a stranger among the approvers": Attempt(
        _unknown_approver, "approver-unknown", (rules.signers_approve,)
    ),
    "approved by the requester": Attempt(
        _requester_approves, "approver-is-requester", (rules.approvers_did_not_request,)
    ),
    "approved by a reader": Attempt(_reader_approves, "approver-is-reader", (rules.approvers_do_not_read,)),
    "approved by one": Attempt(_changed("approver-1"), "approvals", (rules.approvals_suffice,)),
    "approved by the broker itself": Attempt(
        _changed("server"), "approver-unknown", (rules.signers_approve, rules.approvals_suffice)
    ),
    "somebody else's called one's own": Attempt(_own_of_others, "own-grant", (rules.own_grant_is_ones_own,)),
    "under another participant's number": Attempt(
        _under_anothers_number, "foreign-segment", (rules.segments_are_their_own,)
    ),
    "outside the scope": Attempt(_outside_the_scope, "scope-tag", (rules.scope_covers,)),
    "another purpose than consented": Attempt(
        _consented_to_something_else, "purpose-not-consented", (rules.purpose_was_consented,)
    ),
    "a consent that was withdrawn": Attempt(_withdrawn_and_back, "not-available", (rules.consents_stand,)),
    "a participant who paused": Attempt(_paused, "not-available", (rules.participants_stand,)),
    "above the ceiling": Attempt(_above_the_ceiling, "ceiling", (rules.ceiling_holds,)),
}
"""Every way, by name."""
