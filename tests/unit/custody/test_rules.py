"""Every rule of release, by what it stops; and proof that the tests would notice if it were gone.

Each scenario is refused for one reason by the full set of rules. Under the same rules without the one it is
about, the answer is another: a rule that were lost or always said yes would fail its scenario.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.custody.world import (
    NOW,
    PROGRAMME,
    Participant,
    World,
    credential,
    credential_hash,
    digest_of,
    fixed_id,
    key,
    reason_of,
    sign_raw,
)
from understudy.consent.consent import StandingState
from understudy.consent.credentials import WebAuthnCredential
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity, Purpose
from understudy.consent.scope import Scope
from understudy.custody import rules
from understudy.custody.errors import CustodyRefusedError, StorageError
from understudy.custody.grant import Grant, GrantRevocation, OpenRequest
from understudy.custody.rules import RULES, Rule
from understudy.custody.switch import SwitchOrder
from understudy.sealing.signing import sign

Scenario = Callable[[World, Participant, Participant], str]
SCENARIOS: dict[str, tuple[Rule, str, Scenario]] = {}


def scenario(rule: Rule, reason: str) -> Callable[[Scenario], Scenario]:
    """Register a scenario that ``rule`` alone refuses."""

    def register(test: Scenario) -> Scenario:
        SCENARIOS[test.__name__.replace("_", " ")] = (rule, reason, test)
        return test

    return register


def order(world: World, *off: Activity, signer: str = "responder") -> None:
    """Have something stopped."""
    nonce = digest_of(f"order {off} {world.custodian.switch_status().revision}")
    signed = SwitchOrder(programme=PROGRAMME, off=off, nonce=nonce, reason="test", ordered_at=NOW)
    world.custodian.switch_off(sign(signed, key(signer)))


def ask(world: World, one: Participant, **leaf: Any) -> str:
    """Ask for one fresh segment the honest way, except for ``leaf``."""
    return reason_of(world.ask(one, [world.share(one)], **leaf))


def ask_with(world: World, one: Participant, *approvers: str, **grant: Any) -> str:
    """Ask for one fresh segment under another grant."""
    return reason_of(world.ask(one, [world.share(one)], grant=world.grant(*approvers, **grant)))


@scenario(rules.log_has_one_history, "log-forked")
def the_log_told_two_histories(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment])
    entered = world.enter(grant, request, {one.tag: [segment]})
    world.custodian.sync()
    note = world.log.note(leaves=[*world.log.leaves[:-1], b"another entry"])
    with pytest.raises(CustodyRefusedError, match="log-forked"):
        world.custodian.open(world.delivery(entered, checkpoint=encode_bytes(note), index=0))
    return reason_of(world.open(world.delivery(entered, grant, request)))


@scenario(rules.switch_is_on, "switch-off")
def reads_are_off(world: World, one: Participant, two: Participant) -> str:
    order(world, Activity.READS)
    world.log_switch()
    return ask(world, one)


@scenario(rules.switch_is_on, "switch-off")
def own_reads_are_named(world: World, one: Participant, two: Participant) -> str:
    order(world, Activity.OWN_READS)
    world.log_switch()
    return ask_own(world, one)


@scenario(rules.switch_is_logged, "switch-queue")
def a_change_of_the_switch_is_not_logged(world: World, one: Participant, two: Participant) -> str:
    order(world, Activity.TRAINING)
    return ask(world, one)


@scenario(rules.request_is_new, "already-released")
def one_request_in_two_entries(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment])
    assert reason_of(world.ask(one, [segment], grant=grant, request=request)) == "released"
    try:
        return reason_of(world.ask(one, [segment], grant=grant, request=request))
    except StorageError:  # the store's own constraint is the second line
        return "constraint"


@scenario(rules.clocks_agree, "clock")
def an_entry_from_the_future(world: World, one: Participant, two: Participant) -> str:
    return ask(world, one, time=NOW + 6)


@scenario(rules.request_has_not_expired, "request-expired")
def an_entry_whose_time_is_over(world: World, one: Participant, two: Participant) -> str:
    return ask(world, one, time=NOW - 60, not_after=NOW - 1)


@scenario(rules.request_is_short, "request-too-long")
def an_entry_that_lives_too_long(world: World, one: Participant, two: Participant) -> str:
    return ask(world, one, time=NOW - 6, not_after=NOW + 600)


@scenario(rules.grant_is_the_entrys, "grant-mismatch")
def the_entry_names_another_purpose(world: World, one: Participant, two: Participant) -> str:
    return ask(world, one, purpose=Purpose.EVALUATE)


@scenario(rules.grant_is_the_entrys, "grant-mismatch")
def the_entry_names_another_object(world: World, one: Participant, two: Participant) -> str:
    return ask(world, one, object="shard")


@scenario(rules.grant_is_the_entrys, "grant-mismatch")
def the_grant_is_of_another_programme(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, programme=fixed_id("prg", "other"))


@scenario(rules.grant_is_the_entrys, "grant-mismatch")
def the_request_is_under_another_grant(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    request = world.request(world.grant(), [segment])
    return reason_of(world.ask(one, [segment], grant=world.grant(), request=request))


@scenario(rules.request_is_the_entrys, "request-mismatch")
def the_entry_names_another_actor(world: World, one: Participant, two: Participant) -> str:
    return ask(world, one, actor=credential_hash("somebody"))


@scenario(rules.request_is_the_entrys, "request-mismatch")
def the_entry_names_another_ephemeral_key(world: World, one: Participant, two: Participant) -> str:
    return ask(world, one, reader_key=digest_of("another key"))


@scenario(rules.request_is_the_entrys, "request-mismatch")
def the_entry_outlives_the_request(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment], not_after=NOW + 10)
    return reason_of(world.ask(one, [segment], grant=grant, request=request, not_after=NOW + 11))


@scenario(rules.request_is_the_entrys, "request-mismatch")
def the_request_is_of_another_programme(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment], programme=fixed_id("prg", "other"))
    return reason_of(world.ask(one, [segment], grant=grant, request=request))


@scenario(rules.segments_are_the_requests, "request-mismatch")
def the_entry_opens_another_segment(world: World, one: Participant, two: Participant) -> str:
    asked, opened = world.share(one), world.share(one)
    grant = world.grant()
    return reason_of(world.ask(one, [opened], grant=grant, request=world.request(grant, [asked])))


@scenario(rules.segments_are_the_requests, "request-mismatch")
def the_entry_opens_one_segment_more(world: World, one: Participant, two: Participant) -> str:
    asked, added = world.share(one), world.share(one)
    grant = world.grant()
    return reason_of(world.ask(one, [asked, added], grant=grant, request=world.request(grant, [asked])))


@scenario(rules.segments_are_the_requests, "request-mismatch")
def the_request_counts_wrong(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment], segments=2)
    return reason_of(world.ask(one, [segment], grant=grant, request=request))


@scenario(rules.reader_is_named, "reader-unknown")
def a_stranger_asks(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment], signer=key("stranger"))
    return reason_of(world.ask(one, [segment], grant=grant, request=request))


@scenario(rules.reader_is_named, "reader-unknown")
def a_stranger_asks_in_a_readers_name(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment], signer=key("stranger"), credential=credential_hash("reader"))
    return reason_of(world.ask(one, [segment], grant=grant, request=request))


@scenario(rules.reader_is_named, "reader-unknown")
def one_reader_asks_in_anothers_name(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    readers = (credential(key("reader")), credential(key("reader-2")))
    grant = world.grant(readers=readers)
    request = world.request(grant, [segment], credential=credential_hash("reader-2"))
    return reason_of(world.ask(one, [segment], grant=grant, request=request))


@scenario(rules.reader_is_named, "reader-unknown")
def two_people_sign_one_request(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    grant = world.grant()
    fields = msgspec.json.decode(world.request(grant, [segment]).raw)
    request = sign_raw(OpenRequest, fields, key("reader"), key("stranger"))
    return reason_of(world.ask(one, [segment], grant=grant, request=request))


@scenario(rules.grant_has_begun, "grant-not-yet")
def the_grant_begins_later(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, not_before=NOW + 6)


@scenario(rules.grant_has_not_expired, "grant-expired")
def the_grant_is_over(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, not_before=NOW - 3_600, not_after=NOW - 1)


@scenario(rules.grant_is_short, "grant-too-long")
def the_grant_is_too_long(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, not_after=NOW + 8 * 3_600 + 1)


@scenario(rules.grant_is_not_revoked, "revoked")
def the_grant_is_revoked(world: World, one: Participant, two: Participant) -> str:
    grant = world.grant()
    revocation = GrantRevocation(programme=PROGRAMME, grant=grant.hash(Grant), made_at=NOW)
    world.custodian.revoke(sign(revocation, key("steward")))
    return reason_of(world.ask(one, [world.share(one)], grant=grant))


@scenario(rules.label_is_raw, "object-label")
def the_grant_is_for_something_else(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, label="shard")


@scenario(rules.purpose_is_offered, "purpose-not-offered")
def a_purpose_that_the_programme_does_not_offer(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, purpose=Purpose.DEBUG)


@scenario(rules.purpose_is_offered, "purpose-not-offered")
def evidence_without_a_hold(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, purpose=Purpose.EVIDENCE)


@scenario(rules.requester_is_known, "requester-unknown")
def nobody_known_requested(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, requester=digest_of("nobody"))


@scenario(rules.signers_approve, "approver-unknown")
def a_third_signature_without_the_role(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, "approver-1", "approver-2", "responder")


@scenario(rules.signers_approve, "approver-unknown")
def a_third_signature_from_outside(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, "approver-1", "approver-2", "server")


@scenario(rules.signers_approve, "approver-unknown")
def a_steward_approves(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, "approver-1", "steward")


@scenario(rules.approvers_did_not_request, "approver-is-requester")
def the_requester_approves(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, requester=credential_hash("approver-1"))


@scenario(rules.approvers_do_not_read, "approver-is-reader")
def a_reader_approves(world: World, one: Participant, two: Participant) -> str:
    readers = (credential(key("reader")), credential(key("approver-3")))
    return ask_with(world, one, "approver-1", "approver-3", readers=readers)


@scenario(rules.approvals_suffice, "approvals")
def one_approval(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, "approver-1")


@scenario(rules.segments_are_here, "unknown-segment")
def a_segment_that_was_never_deposited(world: World, one: Participant, two: Participant) -> str:
    try:
        return reason_of(world.ask(one, [world.share(one), fixed_id("seg", "nowhere")]))
    except CustodyRefusedError:  # there is nothing to release
        return "nothing"


@scenario(rules.segments_are_their_own, "foreign-segment")
def a_segment_under_another_participants_number(world: World, one: Participant, two: Participant) -> str:
    return reason_of(world.ask(two, [world.share(one)]))


@scenario(rules.segments_are_their_own, "foreign-segment")
def a_segment_among_another_participants(world: World, one: Participant, two: Participant) -> str:
    return reason_of(world.ask(two, [world.share(two), world.share(one)]))


@scenario(rules.scope_covers, "scope-programme")
def the_scope_is_of_another_programme(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, scope=Scope(programme=fixed_id("prg", "other")))


@scenario(rules.scope_covers, "scope-tag")
def the_scope_names_other_participants(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, scope=Scope(programme=PROGRAMME, tags=(two.tag,)))


@scenario(rules.scope_covers, "scope-recording")
def the_scope_names_other_recordings(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, scope=Scope(programme=PROGRAMME, recordings=(fixed_id("rec", "x"),)))


@scenario(rules.scope_covers, "scope-application-group")
def the_scope_names_other_applications(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, scope=Scope(programme=PROGRAMME, application_groups=("office",)))


@scenario(rules.scope_covers, "scope-task-label")
def the_scope_names_other_tasks(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, scope=Scope(programme=PROGRAMME, task_labels=("mail",)))


@scenario(rules.scope_covers, "scope-consent")
def the_scope_names_other_consents(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, scope=Scope(programme=PROGRAMME, consents=(digest_of("x"),)))


@scenario(rules.scope_covers, "scope-application-group")
def one_segment_of_two_is_outside_the_scope(world: World, one: Participant, two: Participant) -> str:
    segments = [world.share(one), world.share(one, application_group="office")]
    grant = world.grant(scope=Scope(programme=PROGRAMME, application_groups=("mail",)))
    return reason_of(world.ask(one, segments, grant=grant))


@scenario(rules.purpose_was_consented, "purpose-not-consented")
def a_purpose_that_was_not_accepted(world: World, one: Participant, two: Participant) -> str:
    consent = world.consent(one, given_at=NOW + 1, purposes=(Purpose.EVALUATE,))
    return reason_of(world.ask(one, [world.share(one), world.share(one, consent=consent)]))


@scenario(rules.consents_stand, "not-available")
def a_withdrawn_consent_beside_a_new_one(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(one)
    world.custodian.stand(one.standing(StandingState.WITHDRAWN, 1))
    world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
    return reason_of(world.ask(one, [segment]))


@scenario(rules.participants_stand, "not-available")
def a_participant_who_paused(world: World, one: Participant, two: Participant) -> str:
    world.custodian.stand(one.standing(StandingState.PAUSED, 1))
    return ask(world, one)


@scenario(rules.participants_stand, "not-available")
def one_of_two_participants_objects(world: World, one: Participant, two: Participant) -> str:
    segments = {one.tag: [world.share(one)], two.tag: [world.share(two)]}
    world.custodian.stand(two.standing(StandingState.OBJECTING, 1))
    grant = world.grant()
    request = world.request(grant, [*segments[one.tag], *segments[two.tag]])
    entered = world.enter(grant, request, segments)
    return reason_of(world.open(world.delivery(entered, grant, request)))


@scenario(rules.ceiling_holds, "ceiling")
def more_at_once_than_the_ceiling(world: World, one: Participant, two: Participant) -> str:
    segments = [world.share(one) for _ in range(3)]
    return reason_of(world.ask(one, segments, grant=world.grant(ceiling=2)))


@scenario(rules.ceiling_holds, "ceiling")
def more_in_an_hour_than_the_ceiling(world: World, one: Participant, two: Participant) -> str:
    segments = [world.share(one) for _ in range(2)]
    grant = world.grant(ceiling=3, not_after=NOW + 7_200)
    assert reason_of(world.ask(one, segments, grant=grant)) == "released"
    world.clock.advance(3_599)
    return reason_of(world.ask(one, segments, grant=grant))


def ask_own(world: World, one: Participant, **grant: Any) -> str:
    """Ask for one's own segment, under another self-grant if ``grant`` says so."""
    signer = grant.pop("signer", one.seed.signing)
    owner = grant.pop("owner", one)
    segment = world.share(owner)
    own = world.own_grant(one, signer, **grant)
    request = world.request(own, [segment], signer=signer)
    return reason_of(world.ask(owner, [segment], grant=own, request=request))


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_by_a_stranger(world: World, one: Participant, two: Participant) -> str:
    return ask_own(world, one, signer=key("stranger"))


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_by_the_device(world: World, one: Participant, two: Participant) -> str:
    return ask_own(world, one, signer=one.device)


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_by_another_participant(world: World, one: Participant, two: Participant) -> str:
    return ask_own(world, one, signer=two.seed.signing)


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_by_two_approvers(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, purpose=Purpose.OWN, scope=Scope(programme=PROGRAMME, tags=(one.tag,)))


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_without_a_tag(world: World, one: Participant, two: Participant) -> str:
    return ask_own(world, one, scope=Scope(programme=PROGRAMME))


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_for_two_tags(world: World, one: Participant, two: Participant) -> str:
    return ask_own(world, one, scope=Scope(programme=PROGRAMME, tags=(one.tag, two.tag)))


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_with_another_reader(world: World, one: Participant, two: Participant) -> str:
    readers = (credential(one.seed.signing), credential(key("reader")))
    return ask_own(world, one, readers=readers)


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_for_a_device_nobody_can_check(world: World, one: Participant, two: Participant) -> str:
    hardware = WebAuthnCredential(public_key="AA", rp_id="test", origins=("test",))
    readers = (credential(one.seed.signing), hardware)
    return ask_own(world, one, readers=readers)


@scenario(rules.own_grant_is_ones_own, "own-grant")
def a_self_grant_for_anothers_segments(world: World, one: Participant, two: Participant) -> str:
    return ask_own(world, one, owner=two, scope=Scope(programme=PROGRAMME, tags=(two.tag,)))


@scenario(rules.segments_are_their_own, "foreign-segment")
def a_self_grant_shows_anothers_segment_as_ones_own(world: World, one: Participant, two: Participant) -> str:
    segment = world.share(two)
    own = world.own_grant(one)
    request = world.request(own, [segment], signer=one.seed.signing)
    return reason_of(world.ask(one, [segment], grant=own, request=request))


@scenario(rules.scope_covers, "scope-tag")
def a_scope_of_nobody(world: World, one: Participant, two: Participant) -> str:
    return ask_with(world, one, scope=Scope(programme=PROGRAMME, tags=()))


def run(template: World, folder: Path, name: str, active: tuple[Rule, ...]) -> str:
    """Return the answer to a scenario under ``active`` rules."""
    _, _, test = SCENARIOS[name]
    world = template.copy(folder, rules=active)
    try:
        return test(world, Participant("one"), Participant("two"))
    finally:
        world.custodian.close()


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_is_refused_for_its_reason(template: World, tmp_path: Path, name: str) -> None:
    assert run(template, tmp_path, name, RULES) == SCENARIOS[name][1]


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_the_rule_the_scenario_would_be_noticed(template: World, tmp_path: Path, name: str) -> None:
    rule, reason, _ = SCENARIOS[name]
    assert run(template, tmp_path, name, tuple(other for other in RULES if other is not rule)) != reason


def test_every_rule_has_a_scenario() -> None:
    assert {rule for rule, _, _ in SCENARIOS.values()} == set(RULES)
