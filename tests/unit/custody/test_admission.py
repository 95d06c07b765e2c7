"""Numbers: every witnessed entry counts, in order, once, for exactly the participants it commits to."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from tests.unit.custody.world import (
    NOW,
    PROGRAMME,
    Entered,
    Participant,
    World,
    digest_of,
    fixed_id,
    reason_of,
)
from understudy.consent.consent import StandingState
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose
from understudy.custody import entry as entry_module
from understudy.custody.admission import Admission
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.head import Behind, Head
from understudy.sealing.signing import Signed
from understudy.transparency.leaves import DeniedLeaf, Opening, PolicyLeaf, commitment_of


def enter(world: World, *openings: Opening, grant: Signed | None = None) -> Entered:
    """Log an entry with these openings."""
    segments = [segment for opening in openings for segment in opening.segments]
    granted = grant or world.grant()
    return world.log.enter(world.leaf_fields(granted, world.request(granted, segments)), openings)


def opening(world: World, one: Participant, **changes: Any) -> Opening:
    return world.log.opening(one.tag, [world.share(one)], **changes)


def reason(world: World, entered: Entered, **changes: Any) -> str:
    try:
        return reason_of(world.open(world.delivery(entered, **changes)))
    except CustodyRefusedError as error:
        return f"! {error.reason}"


def number(world: World, one: Participant) -> int:
    return world.custodian.head(one.tag).verify(Head).n


class TestOrder:
    def test_the_chain_begins_at_enrolment_record_one(self, world: World, one: Participant) -> None:
        head = world.custodian.head(one.tag).verify(Head)
        assert (head.n, head.commitment) == (0, one.enrolment().hash(EnrolmentRecord))

    def test_each_entry_moves_the_head_on_to_its_commitment(self, world: World, one: Participant) -> None:
        for n in (1, 2, 3):
            made = opening(world, one)
            enter(world, made)
            assert reason(world, Entered(len(world.log.leaves) - 1, (made,), b"")) == "not-asked"
            head = world.custodian.head(one.tag).verify(Head)
            assert (head.n, head.commitment) == (n, encode_bytes(commitment_of(made)))

    def test_an_entry_too_early_names_what_is_missing(self, world: World, one: Participant) -> None:
        first, second, third = (enter(world, opening(world, one)) for _ in range(3))
        answer = world.open(world.delivery(third))
        assert isinstance(answer, Behind)
        assert [(missing.tag, missing.n) for missing in answer.missing] == [(one.tag, 1), (one.tag, 2)]
        assert number(world, one) == 0
        for entered in (first, second, third):
            assert reason(world, entered) == "not-asked"
        assert number(world, one) == 3

    def test_an_entry_waits_for_every_one_of_its_participants(
        self, world: World, one: Participant, two: Participant
    ) -> None:
        early = enter(world, opening(world, two))
        both = enter(world, opening(world, one), opening(world, two))
        answer = world.open(world.delivery(both))
        assert isinstance(answer, Behind)
        assert [(missing.tag, missing.n) for missing in answer.missing] == [(two.tag, 1)]
        assert number(world, one) == 0
        assert reason(world, early) == "not-asked"
        assert reason(world, both) == "not-asked"
        assert (number(world, one), number(world, two)) == (1, 2)

    def test_at_most_a_thousand_are_named_at_once(self, world: World, one: Participant) -> None:
        far = enter(world, opening(world, one, n=2**40))
        answer = world.open(world.delivery(far))
        assert isinstance(answer, Behind)
        assert [missing.n for missing in answer.missing] == list(range(1, 1_001))

    def test_logged_but_never_opened_the_next_open_still_works(self, world: World, one: Participant) -> None:
        lost = enter(world, opening(world, one))
        segment = world.share(one)
        grant = world.grant()
        request = world.request(grant, [segment])
        entered = world.enter(grant, request, {one.tag: [segment]})
        delivery = world.delivery(entered, grant, request)
        assert isinstance(world.open(delivery), Behind)
        assert reason(world, lost) == "not-asked"
        assert reason_of(world.open(delivery)) == "released"

    @pytest.mark.parametrize("state", [StandingState.PAUSED, StandingState.WITHDRAWN])
    def test_what_is_refused_is_numbered_all_the_same(
        self, world: World, one: Participant, state: StandingState
    ) -> None:
        segment = world.share(one)
        world.custodian.stand(one.standing(state, 1))
        assert reason_of(world.ask(one, [segment])) == "not-available"
        assert number(world, one) == 1

    def test_an_expired_entry_is_numbered_too(self, world: World, one: Participant) -> None:
        segment = world.share(one)
        assert reason_of(world.ask(one, [segment], not_after=NOW - 1, time=NOW - 9)) == "request-expired"
        assert reason_of(world.ask(one, [segment])) == "released"

    def test_an_entry_is_admitted_once(self, world: World, one: Participant) -> None:
        entered = enter(world, opening(world, one))
        for _ in range(3):
            assert reason(world, entered) == "not-asked"
        world.reopen()
        assert reason(world, entered) == "not-asked"
        assert number(world, one) == 1


class TestTwoStories:
    """The sequencer is not believed either: its numbers have to fit the chain kept here."""

    def test_a_number_used_by_another_entry_is_refused(self, world: World, one: Participant) -> None:
        begin = world.log.heads[one.tag]
        reason(world, enter(world, opening(world, one)))
        world.log.heads[one.tag] = begin
        assert reason(world, enter(world, opening(world, one))) == "! not-next"
        assert number(world, one) == 1

    def test_a_predecessor_that_is_not_the_newest_is_refused(self, world: World, one: Participant) -> None:
        reason(world, enter(world, opening(world, one)))
        wrong = opening(world, one, prev=digest_of("another history"))
        assert reason(world, enter(world, wrong)) == "! wrong-previous"
        assert number(world, one) == 1

    def test_a_first_entry_has_to_name_record_one(self, world: World, one: Participant) -> None:
        wrong = opening(world, one, prev=digest_of("another record"))
        assert reason(world, enter(world, wrong)) == "! wrong-previous"

    def test_somebody_who_is_not_enrolled_has_no_entries(self, world: World) -> None:
        nobody = Participant("nobody")
        world.log.heads[nobody.tag] = (0, nobody.enrolment().hash(EnrolmentRecord))
        stray = world.log.opening(nobody.tag, [fixed_id("seg", "stray")])
        assert reason(world, enter(world, stray)) == "! unknown-participant"

    def test_one_wrong_participant_admits_nobody(
        self, world: World, one: Participant, two: Participant
    ) -> None:
        wrong = opening(world, two, prev=digest_of("another history"))
        assert reason(world, enter(world, opening(world, one), wrong)) == "! wrong-previous"
        assert (number(world, one), number(world, two)) == (0, 0)


Change = Callable[[Sequence[Opening]], Sequence[Opening]]


def _replaced(**fields: Any) -> Change:
    """Return what changes fields of the first opening."""
    return lambda made: (msgspec.structs.replace(made[0], **fields), *made[1:])


def _segments(change: Callable[[tuple[str, ...]], Sequence[str]]) -> Change:
    """Return what changes the segments of the first opening."""
    return lambda made: (
        msgspec.structs.replace(made[0], segments=tuple(change(made[0].segments))),
        *made[1:],
    )


CHANGES: dict[str, Change] = {
    "another tag": _replaced(tag=digest_of("somebody")),
    "another number": _replaced(n=2),
    "another predecessor": _replaced(prev=digest_of("x")),
    "another salt": _replaced(salt=digest_of("x")),
    "other segments": _replaced(segments=(fixed_id("seg", "x"),)),
    "a segment more": _segments(lambda ids: sorted((*ids, fixed_id("seg", "x")))),
    "unsorted segments": _segments(lambda ids: ids[::-1]),
    "a segment twice": _segments(lambda ids: (ids[0], ids[0])),
    "one missing": lambda made: made[:1],
    "one twice": lambda made: (made[0], made[0]),
    "another order": lambda made: tuple(reversed(made)),
}


class TestCommitments:
    @pytest.fixture
    def entered(self, world: World, one: Participant, two: Participant) -> Entered:
        parts = [
            world.log.opening(person.tag, [world.share(person), world.share(person)]) for person in (one, two)
        ]
        return enter(world, *parts)

    @pytest.mark.parametrize("case", CHANGES)
    def test_only_the_openings_committed_to_admit_an_entry(
        self, world: World, one: Participant, two: Participant, entered: Entered, case: str
    ) -> None:
        changed = tuple(CHANGES[case](entered.openings))
        assert changed != entered.openings
        assert reason(world, entered, openings=changed) == "! wrong-commitment"
        assert (number(world, one), number(world, two)) == (0, 0)
        assert reason(world, entered) == "not-asked"

    def test_after_admission_others_still_open_nothing(self, world: World, entered: Entered) -> None:
        assert reason(world, entered) == "not-asked"
        changed = (msgspec.structs.replace(entered.openings[0], salt=digest_of("x")), entered.openings[1])
        assert reason(world, entered, openings=changed) == "! wrong-commitment"

    def test_one_segment_in_two_openings_is_refused(
        self, world: World, one: Participant, two: Participant
    ) -> None:
        segment = world.share(one)
        both = enter(world, *(world.log.opening(person.tag, [segment]) for person in (one, two)))
        assert reason(world, both) == "! wrong-commitment"

    def test_a_leaf_that_counts_wrong_is_refused(self, world: World, one: Participant) -> None:
        grant = world.grant()
        made = opening(world, one)
        fields = world.leaf_fields(grant, world.request(grant, made.segments), participants=2)
        assert reason(world, world.log.enter(fields, [made])) == "! wrong-commitment"

    def test_an_entry_of_another_programme_is_refused(self, world: World, one: Participant) -> None:
        grant = world.grant()
        made = opening(world, one)
        fields = world.leaf_fields(
            grant, world.request(grant, made.segments), programme=fixed_id("prg", "other")
        )
        assert reason(world, world.log.enter(fields, [made])) == "! programme"

    def test_a_thousand_segments_are_the_bound(
        self, world: World, one: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(entry_module, "MAX_SEGMENTS", 3)
        few = world.log.opening(one.tag, [fixed_id("seg", f"{n}") for n in range(3)])
        assert reason(world, enter(world, few)) == "not-asked"
        many = world.log.opening(one.tag, [fixed_id("seg", f"{n}") for n in range(4)])
        assert reason(world, enter(world, many)) == "! wrong-commitment"

    @pytest.mark.parametrize("kind", ["policy", "denied", "garbage"])
    def test_other_kinds_move_nobodys_number(self, world: World, one: Participant, kind: str) -> None:
        if kind == "policy":
            world.log.append(PolicyLeaf(programme=PROGRAMME, policy=digest_of("p"), time=NOW))
        elif kind == "denied":
            world.log.append(
                DeniedLeaf(
                    programme=PROGRAMME,
                    request=digest_of("r"),
                    actor=digest_of("a"),
                    purpose=Purpose.TRAIN,
                    reason="approvals",
                    policy=digest_of("p"),
                    time=NOW,
                )
            )
        else:
            world.log.leaves.append(b"\x00not a leaf")
        stray = Entered(len(world.log.leaves) - 1, (opening(world, one),), b"")
        assert reason(world, stray) == "! not-an-open"
        assert number(world, one) == 0


class TestSeededFaults:
    """The checks of admission, taken away one by one: each lets something through that is told above."""

    def test_without_commitments_another_participants_number_could_be_used(
        self, world: World, one: Participant, two: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entered = enter(world, opening(world, one))
        monkeypatch.setattr(entry_module, "commitment_of", lambda _: commitment_of(entered.openings[0]))
        forged = (msgspec.structs.replace(entered.openings[0], tag=two.tag, prev=_first(two)),)
        assert reason(world, entered, openings=forged) == "not-asked"
        assert (number(world, one), number(world, two)) == (0, 1)

    def test_without_the_order_a_number_could_be_skipped(
        self, world: World, one: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        enter(world, opening(world, one))
        second = enter(world, opening(world, one))
        monkeypatch.setattr(Admission, "_check_next", lambda *_: [])
        assert reason(world, second) == "not-asked"
        assert number(world, one) == 2


def _first(person: Participant) -> str:
    return person.enrolment().hash(EnrolmentRecord)
