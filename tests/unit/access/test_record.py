"""Every change of the policy set is one entry, also across crashes."""

import pytest

from tests.unit.access.world import World
from understudy.access.errors import NotLoggedError
from understudy.consent.primitives import encode_bytes
from understudy.transparency.leaves import PolicyLeaf

OTHER = encode_bytes(bytes(31) + b"\x01")


def test_the_set_in_use_is_in_the_log_before_anything_is_decided(world: World) -> None:
    assert [leaf.policy for leaf in world.leaves(PolicyLeaf)] == [world.policies.policy_hash]


def test_the_same_set_is_logged_once_and_a_change_each_time(world: World) -> None:
    first = world.record.publish(world.policies.policy_hash)
    assert world.record.publish(world.policies.policy_hash) == first
    world.record.publish(OTHER)
    world.record.publish(OTHER)
    back = world.record.publish(world.policies.policy_hash)
    assert back > first
    hashes = [leaf.policy for leaf in world.leaves(PolicyLeaf)]
    assert hashes == [world.policies.policy_hash, OTHER, world.policies.policy_hash]


def test_a_change_that_could_not_be_logged_is_logged_at_the_next_start(world: World) -> None:
    world.log.close()
    with pytest.raises(NotLoggedError):
        world.record.publish(OTHER)
    world.reopen_log()
    world.record.publish(OTHER)
    world.record.publish(OTHER)
    assert [leaf.policy for leaf in world.leaves(PolicyLeaf)] == [world.policies.policy_hash, OTHER]
