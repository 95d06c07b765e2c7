"""The door opens for those who may, and leaves an entry every time."""

from tests.unit.access.world import World
from understudy.transparency.leaves import OpenLeaf


def test_an_approved_reader_gets_exactly_what_was_recorded(world: World) -> None:
    anna = world.join("anna")
    first, second = world.share(anna, b"one"), world.share(anna, b"two")
    grant = world.grant()
    assert world.open(grant, [first, second]) == {first: b"one", second: b"two"}
    (leaf,) = world.leaves(OpenLeaf)
    assert (leaf.grant, leaf.participants, leaf.object) == (grant, 1, "raw")
