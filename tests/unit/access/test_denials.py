"""Denials are logged or counted, whatever the log does; refusing never waits."""

import threading

import pytest

from tests.unit.access.world import DIGEST, World
from understudy.access.denials import MAX_KEPT, Denials
from understudy.access.errors import refusal
from understudy.consent.errors import UnderstudyError
from understudy.consent.purposes import Purpose
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.draft import Appended, Draft
from understudy.transparency.errors import SequencerClosedError
from understudy.transparency.leaves import DenialsLeaf, DeniedLeaf
from understudy.transparency.store import LogStore


class LogLine:
    """The line to the log, which can be cut."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.is_cut = False

    @property
    def store(self) -> LogStore:
        return self._world.log.store

    def append(self, draft: Draft, *, durable_only: bool = False) -> Appended:
        if self.is_cut:
            raise SequencerClosedError("the line is cut")
        return self._world.log.append(draft, durable_only=durable_only)

    def fresh(self, max_age: int) -> CosignedCheckpoint:
        return self._world.log.fresh(max_age)


@pytest.fixture
def line(world: World) -> LogLine:
    return LogLine(world)


@pytest.fixture
def denials(world: World, line: LogLine) -> Denials:
    policy = world.policies.policy_hash
    return Denials(line, world.programme.documents, world.clock, policy=policy)


def deny(denials: Denials, reason: str = "grant-unknown") -> None:
    refused = refusal(reason)
    told = denials.authenticated(refused, request=DIGEST, actor=DIGEST, purpose=Purpose.TRAIN)
    assert told is refused


def test_strangers_are_one_entry_a_minute_at_most(world: World, denials: Denials) -> None:
    for _ in range(100):
        denials.unauthenticated()
    world.clock.advance(59)
    assert not denials.tick()
    denials.unauthenticated()
    world.clock.advance(1)
    assert denials.tick()
    assert not denials.tick()
    (leaf,) = world.leaves(DenialsLeaf)
    assert (leaf.count, leaf.until - leaf.since) == (101, 60)


def test_every_stranger_gets_the_same_answer(denials: Denials) -> None:
    assert {denials.unauthenticated().reason for _ in range(3)} == {"unauthenticated"}


def test_what_the_log_did_not_take_is_logged_later(world: World, denials: Denials, line: LogLine) -> None:
    line.is_cut = True
    deny(denials)
    denials.unauthenticated()
    assert denials.waiting == 2
    world.clock.advance(60)
    with pytest.raises(UnderstudyError):
        denials.tick()
    assert denials.waiting == 2
    line.is_cut = False
    assert denials.tick()
    assert denials.waiting == 0
    assert [leaf.reason for leaf in world.leaves(DeniedLeaf)] == ["grant-unknown"]
    assert [leaf.count for leaf in world.leaves(DenialsLeaf)] == [1]


def test_a_count_that_could_not_be_logged_is_not_lost(world: World, denials: Denials, line: LogLine) -> None:
    denials.unauthenticated()
    line.is_cut = True
    world.clock.advance(60)
    with pytest.raises(UnderstudyError):
        denials.tick()
    denials.unauthenticated()
    line.is_cut = False
    assert denials.tick()
    assert [leaf.count for leaf in world.leaves(DenialsLeaf)] == [2]


def test_memory_is_bounded_and_the_rest_is_counted(world: World, denials: Denials, line: LogLine) -> None:
    line.is_cut = True
    for _ in range(MAX_KEPT + 5):
        deny(denials)
    assert denials.waiting == MAX_KEPT + 5
    line.is_cut = False
    world.clock.advance(60)
    assert denials.tick()
    assert [leaf.count for leaf in world.leaves(DenialsLeaf)] == [5]


def test_ticks_at_once_log_every_denial_once(world: World, denials: Denials, line: LogLine) -> None:
    line.is_cut = True
    for reason in ("grant-unknown", "request-mismatch", "unknown-segment"):
        deny(denials, reason)
    line.is_cut = False
    ticks = [threading.Thread(target=denials.tick) for _ in range(4)]
    for tick in ticks:
        tick.start()
    for tick in ticks:
        tick.join()
    assert denials.waiting == 0
    assert len(world.leaves(DeniedLeaf)) == 3
