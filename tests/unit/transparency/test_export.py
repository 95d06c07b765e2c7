from pathlib import Path

import pytest

from tests.unit.transparency.samples import World, fill, numbered_leaves
from understudy.transparency.errors import MalformedError, RolledBackError, StorageError, TileMissingError
from understudy.transparency.export import export_log
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.tiles import DirectoryTiles, MemoryTiles
from understudy.transparency.verify import verify_log


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_growing_export_verifies_at_every_size(world: World, sequencer: Sequencer, tmp_path: Path) -> None:
    folder = tmp_path / "public"
    size = 0
    for target in (0, 1, 255, 256, 257, 600):
        fill(sequencer, numbered_leaves(target - size))
        size = target
        exported = export_log(sequencer.store.tiles, sequencer.recosign().note, folder, entries=True)
        assert exported.size == target
        report = verify_log(DirectoryTiles(folder), world.trust)
        assert (report.problems, report.size, report.entries) == ((), target, target)
    assert export_log(sequencer.store.tiles, sequencer.recosign().note, folder, entries=True).written == 1


def test_partial_tiles_go_when_the_full_tile_is_there(sequencer: Sequencer, tmp_path: Path) -> None:
    fill(sequencer, numbered_leaves(100))
    export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path / "p", entries=False)
    assert files(tmp_path / "p") == {"checkpoint", "tile/0/000.p/100"}
    fill(sequencer, numbered_leaves(160))
    exported = export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path / "p", entries=False)
    assert files(tmp_path / "p") == {"checkpoint", "tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1"}
    assert exported.removed == 1


def test_raw_entries_leave_only_when_asked(world: World, sequencer: Sequencer, tmp_path: Path) -> None:
    fill(sequencer, [b"a leaf that auditors see"])
    export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path / "p", entries=False)
    content = b"".join(path.read_bytes() for path in (tmp_path / "p").rglob("*") if path.is_file())
    assert b"a leaf that auditors see" not in content
    assert verify_log(DirectoryTiles(tmp_path / "p"), world.trust, entries=False).problems == ()


def test_a_larger_tree_is_never_overwritten_by_a_smaller(sequencer: Sequencer, tmp_path: Path) -> None:
    old = sequencer.recosign().note
    fill(sequencer, numbered_leaves(3))
    export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path / "p", entries=True)
    before = files(tmp_path / "p")
    with pytest.raises(RolledBackError):
        export_log(sequencer.store.tiles, old, tmp_path / "p", entries=True)
    assert files(tmp_path / "p") == before


def test_the_checkpoint_comes_last(sequencer: Sequencer, tmp_path: Path) -> None:
    fill(sequencer, numbered_leaves(3))
    with pytest.raises(TileMissingError):
        export_log(MemoryTiles({}), sequencer.recosign().note, tmp_path / "p", entries=True)
    assert not (tmp_path / "p" / "checkpoint").exists()


def test_a_folder_that_cannot_be_written_is_an_error_with_a_hint(
    sequencer: Sequencer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path / "file", entries=True)
    assert caught.value.hint


def test_a_damaged_checkpoint_in_the_folder_stops_the_export(sequencer: Sequencer, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"damaged")
    with pytest.raises(MalformedError):
        export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path, entries=True)


def test_no_half_written_file_is_left(sequencer: Sequencer, tmp_path: Path) -> None:
    fill(sequencer, numbered_leaves(300))
    export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path / "p", entries=True)
    assert not [name for name in files(tmp_path / "p") if name.endswith(".new")]
