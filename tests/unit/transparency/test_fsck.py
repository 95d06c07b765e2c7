import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.transparency.samples import OpenDraft, World, fill, numbered_leaves, participants
from understudy.transparency.errors import StoreDamagedError, StoreLockedError, StoreMissingError
from understudy.transparency.fsck import check_store, repair_store
from understudy.transparency.report import Report
from understudy.transparency.store import open_log


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed log: 300 plain entries, then six numbered ones about three people."""
    world = World(tmp_path_factory.mktemp("filled"))
    world.create()
    with world.sequencer() as sequencer:
        for count in (100, 200):
            fill(sequencer, numbered_leaves(count))
        for number in range(6):
            sequencer.append(OpenDraft(f"r{number}", participants(1, 2 + number % 2)), durable_only=True)
    world.stop()
    return world.folder


@pytest.fixture
def filled(original: Path, tmp_path: Path) -> Iterator[World]:
    """A copy of that log, to be damaged."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    world = World(tmp_path)
    yield world
    world.stop()


def damage(world: World, *statements: str) -> None:
    store = open_log(world.path, readonly=False)
    with store.database.transaction():
        for statement in statements:
            assert store.database.write(statement) != 0, statement
    store.close()


def everything(world: World) -> list[object]:
    store = open_log(world.path)
    rows = [
        store.database.rows("SELECT * FROM entries"),
        store.database.rows("SELECT * FROM hashes"),
        store.database.rows("SELECT * FROM openings"),
        store.database.rows("SELECT * FROM participants"),
        store.database.rows("SELECT * FROM checkpoints"),
    ]
    store.close()
    return list(rows)


def found(report: Report) -> list[tuple[str, int | None]]:
    assert not report.is_sound
    return [(str(problem.code), problem.index) for problem in report.problems]


def test_a_sound_store_is_sound_and_was_read_whole(filled: World) -> None:
    report = check_store(filled.path)
    assert (report.problems, report.size, report.entries, report.hashes) == ((), 306, 306, 307)


@pytest.mark.parametrize(
    ("statement", "code", "index"),
    [
        ("UPDATE entries SET leaf = x'00' WHERE position = 7", "entry-edited", 7),
        ("UPDATE entries SET leaf = x'00' WHERE position = 299", "entry-edited", 299),
        ("DELETE FROM entries WHERE position = 8", "entry-dropped", 8),
        ("DELETE FROM entries WHERE position >= 305", "rolled-back", 305),
        ("INSERT INTO entries(position, leaf, appended_at) VALUES (306, x'00', 1)", "entry-added", 306),
        ("UPDATE checkpoints SET note = x'00' WHERE size = 306", "checkpoint-untrusted", 306),
        ("UPDATE checkpoints SET size = 999 WHERE size = 306", "checkpoint-untrusted", 999),
        ("DELETE FROM checkpoints", "checkpoint-missing", None),
        ("UPDATE hashes SET hash = zeroblob(32) WHERE level = 0 AND position = 9", "hash-altered", 9),
        ("DELETE FROM hashes WHERE level = 1", "hash-altered", 0),
        ("INSERT INTO hashes VALUES (0, 306, zeroblob(32))", "hash-altered", 306),
        ("DELETE FROM openings WHERE position = 302 AND place = 0", "opening-missing", None),
        ("UPDATE openings SET salt = prev WHERE position = 302", "opening-altered", 302),
        (
            "UPDATE openings SET segments = segments || ' ' || segments WHERE position = 302",
            "opening-altered",
            302,
        ),
        ("UPDATE openings SET path = zeroblob(32) WHERE position = 303", "entry-root-mismatch", 303),
        ("UPDATE openings SET position = 400 WHERE position = 303", "opening-altered", 400),
        ("UPDATE participants SET n = n + 1", "opening-missing", None),
        ("UPDATE participants SET n = n - 1", "head-altered", None),
        ("UPDATE participants SET commitment = ''", "head-altered", None),
    ],
)
def test_each_kind_of_damage_is_named(filled: World, statement: str, code: str, index: int | None) -> None:
    damage(filled, statement)
    problems = found(check_store(filled.path))
    assert code in {name for name, _ in problems}
    if index is not None:
        assert (code, index) in problems


def test_two_entries_swapped_are_found(filled: World) -> None:
    damage(
        filled,
        "UPDATE entries SET position = 1000 WHERE position = 20",
        "UPDATE entries SET position = 20 WHERE position = 21",
        "UPDATE entries SET position = 21 WHERE position = 1000",
    )
    assert ("entry-edited", 20) in found(check_store(filled.path))


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE hashes SET hash = zeroblob(32) WHERE level = 0 AND position = 9",),
        ("DELETE FROM hashes",),
        (
            "INSERT INTO hashes VALUES (0, 306, zeroblob(32))",
            "INSERT INTO hashes VALUES (3, 0, zeroblob(32))",
        ),
        ("UPDATE participants SET n = n - 1",),
        ("DELETE FROM participants",),
    ],
)
def test_what_is_derived_is_repaired_and_the_log_goes_on(filled: World, statements: tuple[str, ...]) -> None:
    damage(filled, *statements)
    assert not check_store(filled.path).is_sound
    report = repair_store(filled.path)
    assert report.problems == ()
    assert report.repaired > 0
    assert check_store(filled.path).is_sound
    with filled.sequencer() as sequencer:
        entry = sequencer.append(OpenDraft("r7", participants(1)))
        assert (entry.index, entry.openings[0].opening.n) == (306, 7)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET leaf = x'00' WHERE position = 7",
        "DELETE FROM entries WHERE position = 305",
        "DELETE FROM checkpoints WHERE size = 306",
        "UPDATE openings SET salt = prev WHERE position = 302",
        "DELETE FROM openings WHERE position = 302",
    ],
)
def test_truth_is_never_repaired(filled: World, statement: str) -> None:
    damage(filled, statement)
    before = everything(filled)
    with pytest.raises(StoreDamagedError) as caught:
        repair_store(filled.path)
    assert "mirror" in caught.value.hint
    assert everything(filled) == before


def test_a_running_log_is_checked_but_not_repaired(filled: World) -> None:
    with filled.sequencer():
        assert check_store(filled.path).is_sound
        with pytest.raises(StoreLockedError):
            repair_store(filled.path)


def test_a_missing_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        check_store(tmp_path / "gone.db")


def test_a_number_that_does_not_follow_the_one_before_is_found(filled: World) -> None:
    damage(filled, "UPDATE participants SET commitment = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'")
    with filled.sequencer() as sequencer:
        sequencer.append(OpenDraft("r7", participants(1)))
    assert ("opening-altered", 306) in found(check_store(filled.path))
