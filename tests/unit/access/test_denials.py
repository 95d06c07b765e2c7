"""Denials are logged or counted, whatever the log does; refusing never waits."""

import threading

import pytest

from tests.unit.access.world import DIGEST, World
from understudy.access.denials import MAX_KEPT
from understudy.access.errors import refusal
from understudy.consent.errors import UnderstudyError
from understudy.consent.purposes import Purpose
from understudy.transparency.leaves import DenialsLeaf, DeniedLeaf


def deny(world: World, reason: str = "grant-unknown") -> None:
    refused = refusal(reason)
    told = world.denials.authenticated(refused, request=DIGEST, actor=DIGEST, purpose=Purpose.TRAIN)
    assert told is refused


def test_strangers_are_one_entry_a_minute_at_most(world: World) -> None:
    for _ in range(100):
        world.denials.unauthenticated()
    world.clock.advance(59)
    assert not world.denials.tick()
    world.denials.unauthenticated()
    world.clock.advance(1)
    assert world.denials.tick()
    assert not world.denials.tick()
    (leaf,) = world.leaves(DenialsLeaf)
    assert (leaf.count, leaf.until - leaf.since) == (101, 60)


def test_every_stranger_gets_the_same_answer(world: World) -> None:
    assert {world.denials.unauthenticated().reason for _ in range(3)} == {"unauthenticated"}


def test_what_the_log_did_not_take_is_logged_later(world: World) -> None:
    world.log.close()
    deny(world)
    world.denials.unauthenticated()
    assert world.denials.waiting == 2
    world.clock.advance(60)
    with pytest.raises(UnderstudyError):
        world.denials.tick()
    assert world.denials.waiting == 2
    denials = world.denials
    world.log = world.sequencer()
    denials._log = world.log
    assert denials.tick()
    assert denials.waiting == 0
    assert [leaf.reason for leaf in world.leaves(DeniedLeaf)] == ["grant-unknown"]
    assert [leaf.count for leaf in world.leaves(DenialsLeaf)] == [1]


def test_memory_is_bounded_and_the_rest_is_counted(world: World) -> None:
    world.log.close()
    for _ in range(MAX_KEPT + 5):
        deny(world)
    assert world.denials.waiting == MAX_KEPT + 5
    world.log = world.sequencer()
    world.denials._log = world.log
    world.clock.advance(60)
    assert world.denials.tick()
    assert [leaf.count for leaf in world.leaves(DenialsLeaf)] == [5]


def test_ticks_at_once_log_every_denial_once(world: World) -> None:
    world.log.close()
    for reason in ("grant-unknown", "request-mismatch", "unknown-segment"):
        deny(world, reason)
    world.log = world.sequencer()
    world.denials._log = world.log
    ticks = [threading.Thread(target=world.denials.tick) for _ in range(4)]
    for tick in ticks:
        tick.start()
    for tick in ticks:
        tick.join()
    assert world.denials.waiting == 0
    assert len(world.leaves(DeniedLeaf)) == 3
