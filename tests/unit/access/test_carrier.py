"""Entries reach the custodian in order, whatever was lost before; what is no answer is never believed."""

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.access.world import Person, World
from understudy.access.carrier import MAX_LEAVES, Carrier
from understudy.access.door import Door
from understudy.access.errors import CustodianAnswerError, EntryMissingError, NotDeliveredError
from understudy.access.events import policy_changed
from understudy.consent.errors import UnavailableError
from understudy.consent.primitives import encode_bytes
from understudy.contract.ports import CustodianPort
from understudy.custody.delivery import Delivery
from understudy.custody.head import Behind, Head, MissingEntry, NotReleased
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

    def open(self, _delivery: Delivery) -> bytes:
        self.asked += 1
        return self.answer()


def deliver(world: World, custodian: Answering) -> None:
    """Bring the log's first open entry to a custodian that answers anything."""
    (leaf,) = world.leaves(OpenLeaf)
    entry = world.log.find(f"open:{leaf.request}")
    assert entry is not None
    port = cast("CustodianPort", custodian)
    Carrier(port, world.log, world.clock, signing="", max_age=60).admit(entry.index, entry.checkpoint)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with one entry in its log."""
    with World(tmp_path_factory.mktemp("opened") / "server") as world:
        world.open(world.grant(), [world.share(world.join("anna"))])
        yield world


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b'{"kind":"released"}',
        b'{"kind":"generous","heads":[]}',
        b'{"heads":[],"hint":"","kind":"refused","more":1,"reason":"x"}',
        b'{ "heads":[],"hint":"","kind":"refused","reason":"x"}',
        b'{"heads":[{"body":"AAAA","signatures":[]}],"hint":"","kind":"refused","reason":"x"}',
    ],
)
def test_what_is_no_answer_is_not_believed(opened: World, raw: bytes) -> None:
    with pytest.raises(CustodianAnswerError):
        deliver(opened, Answering(lambda: raw))


@given(cut=st.integers(0, 60), at=st.integers(0, 60), bit=st.integers(0, 7))
def test_a_damaged_answer_is_an_error_of_this_package(opened: World, cut: int, at: int, bit: int) -> None:
    raw = bytearray(canonical(NotReleased(reason="ceiling", hint="wait", heads=())))
    raw[at % len(raw)] ^= 1 << bit
    with contextlib.suppress(CustodianAnswerError):
        deliver(opened, Answering(lambda: bytes(raw[: len(raw) - cut % len(raw)])))


def test_a_custodian_that_keeps_asking_for_the_same_is_left_alone(opened: World) -> None:
    tag = opened.log.store.numbers()[0][0]
    missing = Behind(missing=(MissingEntry(tag=tag, n=1),))
    custodian = Answering(lambda: canonical(missing))
    with pytest.raises(NotDeliveredError):
        deliver(opened, custodian)
    assert custodian.asked <= 2


def test_a_custodian_that_asks_for_what_was_never_logged_gets_an_error(opened: World) -> None:
    missing = Behind(missing=(MissingEntry(tag=encode_bytes(bytes(32)), n=7),))
    with pytest.raises(EntryMissingError):
        deliver(opened, Answering(lambda: canonical(missing)))


def test_a_reply_that_is_not_the_custodians_own_is_no_release(world: World) -> None:
    segment = world.share(world.join("anna"))
    asking = world.asking(world.grant(), [segment])
    port = cast("CustodianPort", world.wire)
    other_keys = Carrier(port, world.log, world.clock, signing=world.cast.server.public, max_age=60)
    door = Door(
        world.reads,
        log=world.log,
        store=world.vault,
        carriers=[other_keys],
        key=world.cast.server,
    )
    with pytest.raises(NotDeliveredError) as caught:
        door.open(asking.call)
    assert isinstance(caught.value.__cause__, CustodianAnswerError)


def test_anothers_head_is_no_head(world: World) -> None:
    anna, ben = world.join("anna"), world.join("ben")
    signed = world.custodian.head(ben.tag)
    port = cast("CustodianPort", SimpleNamespace(name="first", head=lambda _: signed))
    signing = world.cast.custodian.signing.public
    carrier = Carrier(port, world.log, world.clock, signing=signing, max_age=60)
    assert carrier.admitted(ben.tag) == 0
    with pytest.raises(CustodianAnswerError):
        carrier.admitted(anna.tag)
    foreign = Carrier(port, world.log, world.clock, signing=world.cast.server.public, max_age=60)
    with pytest.raises(CustodianAnswerError):
        foreign.admitted(ben.tag)
