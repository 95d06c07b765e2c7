"""Entries reach the custodian in order, whatever was lost before; what is no answer is never believed."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.unit.access.world import Person, World
from understudy.access.carrier import MAX_LEAVES, Carrier
from understudy.access.errors import CustodianAnswerError, EntryMissingError, NotDeliveredError
from understudy.access.events import policy_changed
from understudy.consent.errors import UnavailableError
from understudy.consent.primitives import encode_bytes
from understudy.contract.ports import CustodianPort
from understudy.custody.delivery import Delivery
from understudy.custody.head import Behind, Head, MissingEntry
from understudy.sealing.canonical import canonical
from understudy.transparency.leaves import OpenLeaf


def lose(world: World, grant: str, segments: list[str], **changes: Any) -> None:
    """Log an entry that never reaches the custodian."""
    world.wire.is_cut = True
    with pytest.raises(NotDeliveredError):
        world.door.open(world.asking(grant, segments, **changes).call)
    world.wire.is_cut = False


def head(world: World, person: Person) -> int:
    return world.custodian.head(person.tag).verify(Head).n


def test_an_entry_that_was_logged_and_never_opened_does_not_close_the_next(world: World) -> None:
    anna = world.join("anna")
    segment = world.share(anna)
    grant = world.grant()
    for _ in range(3):
        lose(world, grant, [segment])
    assert world.open(grant, [segment]) == {segment: b"synthetic"}
    assert head(world, anna) == 4


def test_entries_of_several_people_come_oldest_first_through_each_other(world: World) -> None:
    """Every lost entry but the first leans on an earlier one of another person."""
    people = [world.join(name) for name in ("anna", "ben", "cleo")]
    anna, ben, cleo = (world.share(person) for person in people)
    grant = world.grant()
    for segments in ([anna], [anna, ben], [ben, cleo], [cleo]):
        lose(world, grant, segments)
    delivered: list[Delivery] = []
    world.wire.watch = lambda name, args: delivered.extend(args) if name == "open" else None
    assert world.open(grant, [cleo]) == {cleo: b"synthetic"}
    assert [head(world, person) for person in people] == [2, 2, 3]
    admitted = [delivery for delivery in delivered if delivery.request is None]
    assert all(delivery.grant is None for delivery in admitted)


def test_a_lost_entrys_own_reader_still_gets_it_after_it_was_numbered_for_another(world: World) -> None:
    segment = world.share(world.join("anna"), b"late")
    grant = world.grant()
    asking = world.asking(grant, [segment])
    world.wire.is_cut = True
    with pytest.raises(NotDeliveredError):
        world.door.open(asking.call)
    world.wire.is_cut = False
    world.open(grant, [segment])
    assert asking.payloads(world.door.open(asking.call)) == {segment: b"late"}


def test_a_restarted_server_finds_what_the_custodian_lacks_and_brings_it(world: World) -> None:
    anna, ben = world.join("anna"), world.join("ben")
    one, two = world.share(anna), world.share(ben)
    grant = world.grant()
    for segments in ([one], [one, two], [two]):
        lose(world, grant, segments)
    world.restart()
    gaps = {(gap.tag, gap.logged, gap.admitted) for gap in world.completeness.unreleased()}
    assert gaps == {(anna.tag, 2, 0), (ben.tag, 2, 0)}
    assert world.completeness.catch_up() == 3
    assert world.completeness.unreleased() == ()
    assert world.completeness.catch_up() == 0
    assert len(world.leaves(OpenLeaf)) == 3


def test_a_custodian_that_does_not_answer_stops_the_catching_up_and_nothing_is_lost(world: World) -> None:
    segment = world.share(world.join("anna"))
    lose(world, world.grant(), [segment])
    world.wire.is_cut = True
    with pytest.raises(UnavailableError):
        world.completeness.catch_up()
    world.wire.is_cut = False
    assert world.completeness.catch_up() == 1


def test_leaves_since_the_last_delivery_are_brought_and_a_far_mirror_pulls_the_rest(world: World) -> None:
    segment = world.share(world.join("anna"))
    grant = world.grant()
    delivered: list[Delivery] = []
    world.wire.watch = lambda name, args: delivered.extend(args) if name == "open" else None
    world.open(grant, [segment])
    world.open(grant, [segment])
    assert len(delivered[-1].leaves) == 1, "the mirror stands where the first open left it"
    programme = world.cast.document().programme
    drafts = [policy_changed(programme, number=n, policy=grant) for n in range(2, MAX_LEAVES + 102)]
    for future in [world.log.submit(draft) for draft in drafts]:
        future.result(30)
    world.open(grant, [segment])
    assert len(delivered[-1].leaves) == MAX_LEAVES
    world.open(grant, [segment])
    assert len(delivered[-1].leaves) == 1


def test_after_a_restart_the_first_open_needs_no_memory_of_the_mirror(world: World) -> None:
    segment = world.share(world.join("anna"))
    grant = world.grant()
    world.open(grant, [segment])
    world.restart()
    assert world.open(grant, [segment]) == {segment: b"synthetic"}


def test_an_entry_whose_openings_are_gone_is_not_brought(world: World) -> None:
    anna = world.join("anna")
    segment = world.share(anna)
    grant = world.grant()
    lose(world, grant, [segment])
    world.log.erase(anna.tag)
    with pytest.raises(NotDeliveredError) as caught:
        world.door.open(world.asking(grant, [segment]).call)
    assert isinstance(caught.value.__cause__, EntryMissingError)


class Answering:
    """A custodian that answers what it is told to."""

    name = "first"

    def __init__(self, answer: Callable[[], bytes]) -> None:
        self.answer = answer
        self.asked = 0

    def open(self, delivery: Delivery) -> bytes:
        self.asked += 1
        return self.answer()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b'{"kind":"released"}',
        b'{"kind":"generous","heads":[]}',
        b'{"heads":[],"hint":"","kind":"refused","reason":"x","more":1}',
        b'{ "heads":[],"hint":"","kind":"refused","reason":"x"}',
        b'{"heads":[{"body":"AAAA","signatures":[]}],"hint":"","kind":"refused","reason":"x"}',
    ],
)
def test_what_is_no_answer_is_refused(world: World, raw: bytes) -> None:
    segment = world.share(world.join("anna"))
    asking = world.asking(world.grant(), [segment])
    world.open(asking.call.request.verify_grant if False else world.grant(), [segment])
    entry = world.log.find(f"open:{world.leaves(OpenLeaf)[0].request}")
    assert entry is not None
    carrier = Carrier(
        cast("CustodianPort", Answering(lambda: raw)), world.log, world.clock, signing="", max_age=60
    )
    with pytest.raises(CustodianAnswerError):
        carrier.admit(entry.index, entry.checkpoint)
