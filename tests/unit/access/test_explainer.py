"""Explanations go to those whom a read concerns; what a participant said is theirs to see."""

import pytest

from tests.cast import PROGRAMME
from tests.unit.access.world import Person, World
from understudy.access.actors import credential_of
from understudy.access.errors import GrantNotFoundError
from understudy.access.explain import SAID, Explanation
from understudy.access.explainer import WhatIf
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Allowed, Refused
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.purposes import Activity, Purpose
from understudy.consent.scope import Scope
from understudy.custody.grant import GrantRevocation
from understudy.sealing.canonical import canonical
from understudy.sealing.signing import sign

OVERSEERS = ("steward", "approver-1", "auditor")
CLOSED = sorted(set(StandingState) - {StandingState.ACTIVE})


def broken(explanation: Explanation) -> list[str]:
    return [condition.reason for condition in explanation.conditions if not condition.holds]


def detail(explanation: Explanation, rule: str) -> str:
    (found,) = (condition.detail for condition in explanation.conditions if condition.rule == rule)
    return found


def personal(person: Person) -> str:
    return credential_of(person.seed.signing.public)


def refused(world: World, asker: str, about: str, segment: str, **rest: object) -> str:
    with pytest.raises(RefusedError) as caught:
        world.explainer.explain_open(about, segment, asker=asker, **rest)  # type: ignore[arg-type]
    return caught.value.reason


class TestWhoIsTold:
    def test_a_reader_with_a_grant(self, shared: World, somebody: Person) -> None:
        segment, grant = shared.share(somebody), shared.grant()
        reader = shared.cast.credential_hash("reader")
        explanation = shared.explainer.explain_open(reader, segment, asker=reader, grant=grant)
        assert explanation.decision == Allowed(because=("read-by-reader",))
        assert explanation.policy == shared.policies.policy_hash
        assert not explanation.is_what_if
        assert detail(explanation, "grant-approvals") == "2 of 2"
        assert shared.explainer.explain_open(reader, segment, asker=reader) == explanation

    def test_the_requester_about_the_reader(self, shared: World, somebody: Person) -> None:
        segment, grant = shared.share(somebody), shared.grant()
        reader, requester = (shared.cast.credential_hash(name) for name in ("reader", "researcher"))
        told = shared.explainer.explain_open(reader, segment, asker=requester, grant=grant)
        assert isinstance(told.decision, Allowed)

    @pytest.mark.parametrize("overseer", OVERSEERS)
    def test_overseers_about_anybody(self, world: World, overseer: str) -> None:
        segment = world.share(world.join("anna"))
        asker, reader = world.cast.credential_hash(overseer), world.cast.credential_hash("reader")
        told = world.explainer.explain_open(reader, segment, asker=asker)
        assert broken(told) == ["approvals"]
        assert detail(told, "grant-approvals") == "0 of 2"
        with pytest.raises(RefusedError) as caught:
            world.explainer.explain_open(reader, new_id("seg"), asker=asker)
        assert caught.value.reason == "unknown-segment"

    def test_a_participant_about_their_own(self, shared: World, somebody: Person) -> None:
        segment = shared.share(somebody)
        me, reader = personal(somebody), shared.cast.credential_hash("reader")
        told = shared.explainer.explain_open(me, segment, asker=me, purpose=Purpose.OWN)
        assert broken(told) == ["own-grant"]
        shared.grants.own(shared.own_grant(somebody))
        told = shared.explainer.explain_open(me, segment, asker=me, purpose=Purpose.OWN)
        assert told.decision == Allowed(because=("read-own",))
        assert detail(shared.explainer.explain_open(reader, segment, asker=me), "read-consented") == "train"

    def test_a_grant_that_does_not_exist_is_not_found(self, shared: World, somebody: Person) -> None:
        me = personal(somebody)
        with pytest.raises(GrantNotFoundError):
            shared.explainer.explain_open(me, shared.share(somebody), asker=me, grant=encode_bytes(bytes(32)))


class TestWhoIsNot:
    @pytest.mark.parametrize("standing", StandingState)
    def test_an_enrolled_stranger_learns_nothing_of_anothers_standing(
        self, world: World, standing: StandingState
    ) -> None:
        anna, stranger = world.join("anna"), personal(world.join("ben"))
        segment = world.share(anna)
        world.stand(anna, standing)
        for about in (stranger, personal(anna), world.cast.credential_hash("reader")):
            for purpose in Purpose:
                assert refused(world, stranger, about, segment, purpose=purpose) == "no-permit"
        assert refused(world, stranger, stranger, new_id("seg")) == "no-permit", "nor what exists"

    @pytest.mark.parametrize("member", ["researcher", "reader", "steward"])
    def test_a_member_without_a_grant_is_told_by_role_alone(self, world: World, member: str) -> None:
        segment, asker = world.share(world.join("anna")), world.cast.credential_hash(member)
        if member == "steward":
            world.explainer.explain_open(asker, segment, asker=asker)
        else:
            assert refused(world, asker, asker, segment) == "no-permit"

    def test_a_grant_explains_what_it_covers_and_for_as_long_as_it_is_in_force(self, world: World) -> None:
        anna, ben = world.join("anna"), world.join("ben")
        mine, other = world.share(anna), world.share(ben)
        grant = world.grant(scope=Scope(programme=PROGRAMME, tags=(anna.tag,)))
        reader = world.cast.credential_hash("reader")
        world.explainer.explain_open(reader, mine, asker=reader)
        assert refused(world, reader, reader, other, grant=grant) == "no-permit"
        assert refused(world, reader, personal(anna), mine) == "no-permit", "about those it names"
        end = GrantRevocation(programme=PROGRAMME, grant=grant, made_at=world.clock.now())
        world.grants.revoke(sign(end, world.cast.person("auditor")))
        assert refused(world, reader, reader, mine, grant=grant) == "no-permit"

    def test_a_grant_that_is_over_explains_nothing(self, world: World) -> None:
        segment, _ = world.share(world.join("anna")), world.grant()
        reader = world.cast.credential_hash("reader")
        world.explainer.explain_open(reader, segment, asker=reader)
        world.clock.advance(28_800)
        assert refused(world, reader, reader, segment) == "no-permit"


class TestWhatIsTold:
    @pytest.mark.parametrize("asker", ["reader", "researcher", *OVERSEERS])
    def test_nobody_is_told_why_a_segment_is_not_available(self, world: World, asker: str) -> None:
        """A pause, an objection and a withdrawal give the same explanation, to the byte."""
        anna, grant = world.join("anna"), world.grant()
        segment, one = world.share(anna), world.cast.credential_hash(asker)
        reader, told = world.cast.credential_hash("reader"), set()
        for standing in CLOSED:
            world.stand(anna, StandingState.ACTIVE)
            world.stand(anna, standing)
            seen = world.explainer.explain_open(reader, segment, asker=one, grant=grant)
            assert broken(seen) == ["not-available"]
            assert isinstance(seen.decision, Refused)
            assert seen.decision.reason == "not-available"
            assert detail(seen, "read-available") == ""
            told.add(canonical(seen))
        assert len(told) == 1

    def test_a_purpose_that_was_not_accepted_looks_like_a_pause(self, world: World) -> None:
        anna, ben = world.join("anna", Purpose.EVALUATE), world.join("ben")
        grant, reader = world.grant(), world.cast.credential_hash("reader")
        world.stand(ben, StandingState.PAUSED)
        seen = [
            world.explainer.explain_open(reader, world.share(person), asker=reader, grant=grant)
            for person in (anna, ben)
        ]
        assert seen[0] == seen[1]

    def test_the_participant_is_told(self, world: World) -> None:
        anna, grant = world.join("anna"), world.grant()
        segment, reader = world.share(anna), world.cast.credential_hash("reader")
        world.stand(anna, StandingState.OBJECTING)
        told = world.explainer.explain_open(reader, segment, asker=personal(anna), grant=grant)
        assert detail(told, "read-available") == "objecting"
        assert detail(told, "read-consented") == "train"

    @pytest.mark.parametrize("asker", ["reader", *OVERSEERS])
    def test_asking_purpose_by_purpose_does_not_spell_out_a_consent(self, world: World, asker: str) -> None:
        """Without a grant for a purpose nothing is said of availability for it."""
        anna, ben = world.join("anna", Purpose.EVALUATE), world.join("ben")
        segments = [world.share(person) for person in (anna, ben)]
        world.grant()
        world.stand(ben, StandingState.PAUSED)
        one, reader = world.cast.credential_hash(asker), world.cast.credential_hash("reader")
        for purpose in set(Purpose) - {Purpose.TRAIN}:
            first, second = (
                world.explainer.explain_open(reader, segment, asker=one, purpose=purpose)
                for segment in segments
            )
            assert first == second
            assert not SAID & {condition.rule for condition in first.conditions}


class TestWhatIf:
    @pytest.mark.parametrize(
        ("what_if", "reasons"),
        [
            (WhatIf(standing=StandingState.PAUSED), ["not-available"]),
            (WhatIf(consented=()), ["purpose-not-consented"]),
            (WhatIf(off=(Activity.READS,)), ["switch-off"]),
            (WhatIf(approvers=("approver-1",)), ["approvals"]),
            (WhatIf(purpose=Purpose.EVALUATE), ["purpose-not-consented"]),
            (WhatIf(now=0), ["grant-not-yet"]),
        ],
    )
    def test_the_participant_may_suppose_anything(
        self, shared: World, somebody: Person, what_if: WhatIf, reasons: list[str]
    ) -> None:
        segment, grant = shared.share(somebody), shared.grant()
        reader = shared.cast.credential_hash("reader")
        size = shared.log.store.size
        told = shared.explainer.explain_open(
            reader, segment, asker=personal(somebody), grant=grant, what_if=what_if
        )
        assert told.is_what_if
        assert broken(told) == reasons
        assert isinstance(told.decision, Refused)
        assert shared.log.store.size == size, "an explanation makes no entry"

    @pytest.mark.parametrize("asker", ["steward", "auditor"])
    @pytest.mark.parametrize(
        ("what_if", "is_available"),
        [
            (WhatIf(standing=StandingState.ACTIVE), True),
            (WhatIf(standing=StandingState.PAUSED), False),
            (WhatIf(consented=(Purpose.TRAIN,)), True),
            (WhatIf(consented=()), False),
            (WhatIf(standing=StandingState.ACTIVE, purpose=Purpose.EVALUATE), True),
        ],
    )
    def test_what_is_supposed_hides_what_is(
        self, world: World, asker: str, what_if: WhatIf, is_available: bool
    ) -> None:
        people = (world.join("anna"), world.join("ben"), world.join("carl", Purpose.EVALUATE))
        segments = [world.share(person) for person in people]
        world.stand(people[1], StandingState.WITHDRAWN)
        grant, one = world.grant(), world.cast.credential_hash(asker)
        reader = world.cast.credential_hash("reader")
        seen = {
            canonical(world.explainer.explain_open(reader, segment, asker=one, grant=grant, what_if=what_if))
            for segment in segments
        }
        assert len(seen) == 1
        assert (b"not-available" not in seen.pop()) == is_available

    @pytest.mark.parametrize("asker", ["reader", "approver-1"])
    def test_nobody_else_supposes_what_a_participant_said(self, world: World, asker: str) -> None:
        segment, _ = world.share(world.join("anna")), world.grant()
        one, reader = world.cast.credential_hash(asker), world.cast.credential_hash("reader")
        world.explainer.explain_open(reader, segment, asker=one)
        for what_if in (WhatIf(standing=StandingState.ACTIVE), WhatIf(consented=(Purpose.TRAIN,))):
            assert refused(world, one, reader, segment, what_if=what_if) == "not-to-suppose"

    @pytest.mark.parametrize("asker", ["reader", "steward"])
    def test_another_purpose_says_nothing_of_a_consent(self, world: World, asker: str) -> None:
        people = (world.join("anna"), world.join("ben", Purpose.TRAIN, Purpose.EVALUATE))
        grant, one = world.grant(), world.cast.credential_hash(asker)
        reader, what_if = world.cast.credential_hash("reader"), WhatIf(purpose=Purpose.EVALUATE)
        first, second = (
            world.explainer.explain_open(reader, world.share(person), asker=one, grant=grant, what_if=what_if)
            for person in people
        )
        assert first == second
