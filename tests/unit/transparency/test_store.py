import shutil
from pathlib import Path

import pytest

from tests.unit.transparency.samples import ORIGIN, OpenDraft, World, fill, numbered_leaves, participants, tag
from understudy.sealing.signing import SigningKey
from understudy.transparency.errors import (
    StoreDamagedError,
    StoreError,
    StoreLockedError,
    StoreMissingError,
)
from understudy.transparency.merkle import EMPTY_ROOT
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.store import WriterLock, create_log, open_log


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed log with 300 entries."""
    world = World(tmp_path_factory.mktemp("longer"))
    world.create()
    with world.sequencer() as sequencer:
        fill(sequencer, numbered_leaves(300))
    world.stop()
    return world.folder


def test_a_new_log_is_empty_and_signed(world: World) -> None:
    store = open_log(world.path)
    tree = store.check_tail()
    assert (tree.origin, tree.size, tree.root) == (ORIGIN, 0, EMPTY_ROOT)
    assert store.log_key == world.log_key
    assert store.published() is None
    store.close()


def test_a_log_is_never_created_over_another(world: World) -> None:
    with pytest.raises(StoreError):
        create_log(world.path, origin=ORIGIN, key=world.key)


def test_a_missing_log_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        open_log(tmp_path / "gone.db")


def test_a_second_sequencer_is_refused_and_the_first_goes_on(world: World, sequencer: Sequencer) -> None:
    with pytest.raises(StoreLockedError):
        world.sequencer()
    assert sequencer.append(OpenDraft("r1")).index == 0


def test_the_lock_is_free_again_after_closing(world: World) -> None:
    world.sequencer().close()
    WriterLock(world.path).release()
    world.sequencer().close()


def test_a_log_of_another_key_does_not_start(world: World) -> None:
    with pytest.raises(StoreDamagedError):
        world.sequencer(key=SigningKey.generate())
    world.sequencer().close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entries SET leaf = x'00' WHERE position = 299",
        "UPDATE entries SET leaf = x'00' WHERE position = 100",
        "DELETE FROM entries WHERE position = 299",
        "DELETE FROM entries WHERE position = 150",
        "INSERT INTO entries(position, leaf, appended_at) VALUES (300, x'00', 1)",
        "UPDATE hashes SET hash = zeroblob(32) WHERE level = 0 AND position = 299",
        "UPDATE hashes SET hash = zeroblob(32) WHERE level = 1",
        "DELETE FROM hashes WHERE level = 1",
        "INSERT INTO hashes VALUES (0, 300, zeroblob(32))",
        "DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)",
        "DELETE FROM checkpoints",
        "UPDATE checkpoints SET note = CAST(replace(CAST(note AS TEXT), '300', '299') AS BLOB)",
        "DELETE FROM log",
        "UPDATE log SET origin = 'log.example/other'",
    ],
)
def test_a_store_that_contradicts_its_checkpoint_does_not_start(
    longer: Path, tmp_path: Path, damage: str
) -> None:
    shutil.copytree(longer, tmp_path, dirs_exist_ok=True)
    world = World(tmp_path)
    store = open_log(world.path, readonly=False)
    store.database.write(damage)
    store.close()
    with pytest.raises(StoreDamagedError) as caught:
        world.sequencer()
    assert caught.value.hint
    world.stop()


def test_openings_are_listed_in_order_and_by_page(sequencer: Sequencer) -> None:
    for number in range(7):
        sequencer.append(OpenDraft(f"r{number}", participants(1, number + 2)), durable_only=True)
    store = sequencer.store
    assert [opening.opening.n for opening in store.openings_of(tag(1))] == [1, 2, 3, 4, 5, 6, 7]
    assert [opening.opening.n for opening in store.openings_of(tag(1), after=3, limit=2)] == [4, 5]
    assert store.openings_of(tag(99)) == ()
    assert store.head(tag(1)) == (7, store.openings_of(tag(1), after=6)[0].commitment)
    assert store.head(tag(99)) is None


def test_entries_are_read_by_index_and_by_stretch(sequencer: Sequencer) -> None:
    fill(sequencer, numbered_leaves(10))
    assert sequencer.store.entry(3) == b"leaf 3"
    assert sequencer.store.entry(10) is None
    assert sequencer.store.entries(8, 20) == (b"leaf 8", b"leaf 9")
    assert sequencer.store.size == 10
