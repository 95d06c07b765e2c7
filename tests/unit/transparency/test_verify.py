import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.transparency.samples import ORIGIN, World, fill, numbered_leaves
from understudy.sealing.signing import SigningKey
from understudy.transparency.checkpoint import Checkpoint, add_cosignatures, parse_checkpoint, sign_checkpoint
from understudy.transparency.export import export_log
from understudy.transparency.merkle import MemoryTree, leaf_hash, tree_root
from understudy.transparency.note import cosign_text, parse_note
from understudy.transparency.report import MAX_PROBLEMS, ProblemCode, Report, compare
from understudy.transparency.tiles import (
    DirectoryTiles,
    MemoryTiles,
    TileName,
    encode_bundle,
    encode_tile,
    entries_path,
    levels,
    split_bundle,
    tile_path,
    tiles_at,
)
from understudy.transparency.trust import LogTrust
from understudy.transparency.verify import verify_log

SIZE = 700
LEAVES = numbered_leaves(SIZE)
LOG = SigningKey.from_seed(bytes([1]) * 32)
WITNESS = SigningKey.from_seed(bytes([10]) * 32)


def note_of(leaves: list[bytes], *, is_cosigned: bool = True) -> bytes:
    tree = Checkpoint(ORIGIN, len(leaves), tree_root(leaves))
    note = sign_checkpoint(tree, LOG)
    if is_cosigned:
        note = add_cosignatures(note, cosign_text(tree.text, "witness.example/a", WITNESS, 1_700_000_000))
    return note


def published(leaves: list[bytes], *, is_cosigned: bool = True) -> dict[str, bytes]:
    """Return all files of a log, honestly made from ``leaves``."""
    tree = MemoryTree([leaf_hash(leaf) for leaf in leaves])
    files = {"checkpoint": note_of(leaves, is_cosigned=is_cosigned)}
    for level in levels(len(leaves)):
        for tile in tiles_at(level, len(leaves)):
            places = range(tile.first, tile.first + tile.width)
            files[tile.path] = encode_tile([tree.node(8 * level, place) for place in places])
            if level == 0:
                bundle = [leaves[place] for place in places]
                files[TileName(None, tile.n, tile.width).path] = encode_bundle(bundle)
    return files


def with_entries(leaves: list[bytes]) -> dict[str, bytes]:
    """Return the honest files with other entry bundles: what somebody does who cannot touch the tiles."""
    files = published(LEAVES)
    for tile in tiles_at(0, SIZE):
        last = SIZE if tile.width < 256 else tile.first + 256
        kept = leaves[tile.first : last + len(leaves) - SIZE if last == SIZE else last]
        files[TileName(None, tile.n, tile.width).path] = encode_bundle(kept)
    return files


@pytest.fixture
def trust(tmp_path: Path) -> LogTrust:
    return World(tmp_path).trust


def check(files: dict[str, bytes], trust: LogTrust, **more: object) -> Report:
    return verify_log(MemoryTiles(files), trust, **more)  # type: ignore[arg-type]


def found(report: Report) -> list[tuple[str, int | None]]:
    assert not report.is_sound
    return [(str(problem.code), problem.index) for problem in report.problems]


def edited(place: int) -> list[bytes]:
    return [*LEAVES[:place], b"edited", *LEAVES[place + 1 :]]


def dropped(place: int) -> list[bytes]:
    return [*LEAVES[:place], *LEAVES[place + 1 :]]


def swapped(place: int) -> list[bytes]:
    return [*LEAVES[:place], LEAVES[place + 1], LEAVES[place], *LEAVES[place + 2 :]]


def added(place: int) -> list[bytes]:
    return [*LEAVES[:place], b"added", *LEAVES[place:]]


FAULTS: dict[str, Callable[[int], list[bytes]]] = {
    "entry-edited": edited,
    "entry-dropped": dropped,
    "entry-reordered": swapped,
    "entry-added": added,
}


def test_an_honest_log_is_sound_and_everything_was_looked_at(trust: LogTrust) -> None:
    report = check(published(LEAVES), trust, earlier=[note_of(LEAVES[:n]) for n in (0, 1, 256, 257, 700)])
    assert report.is_sound
    assert (report.size, report.root, report.entries) == (SIZE, tree_root(LEAVES), SIZE)
    assert report.hashes == SIZE + 2


def test_without_raw_entries_the_tiles_are_checked(trust: LogTrust) -> None:
    files = {path: raw for path, raw in published(LEAVES).items() if "entries" not in path}
    report = check(files, trust, entries=False)
    assert (report.is_sound, report.entries, report.hashes) == (True, 0, SIZE + 2)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", [0, 100, 254, 256, 300, 690])
def test_a_fault_in_the_entries_is_named_with_its_exact_index(
    trust: LogTrust, fault: str, place: int
) -> None:
    report = check(with_entries(FAULTS[fault](place)), trust)
    assert found(report)[0] == (fault, place)


@pytest.mark.parametrize("place", [255, 511])
def test_entries_swapped_across_a_tile_border_are_found_there(trust: LogTrust, place: int) -> None:
    assert found(check(with_entries(swapped(place)), trust))[0] == ("entry-reordered", place)


def test_the_last_entry_dropped_is_found(trust: LogTrust) -> None:
    files = published(LEAVES)
    files[entries_path(2, 188)] = encode_bundle(split_bundle(files[entries_path(2, 188)])[:-1])
    assert found(check(files, trust)) == [("entry-dropped", 699)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", [0, 255, 300])
def test_a_fault_covered_up_in_all_tiles_contradicts_the_signed_root(
    trust: LogTrust, fault: str, place: int
) -> None:
    leaves = FAULTS[fault](place)
    files = published(leaves)
    files["checkpoint"] = note_of(LEAVES)
    codes = {code for code, _ in found(check(files, trust))}
    assert codes & {"root-mismatch", "tile-missing", "tile-malformed"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", [0, 255, 300])
def test_a_fault_signed_over_by_the_log_lacks_the_witness(trust: LogTrust, fault: str, place: int) -> None:
    files = published(FAULTS[fault](place), is_cosigned=False)
    assert found(check(files, trust)) == [("quorum-missing", None)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", [0, 255, 300])
def test_a_fault_that_log_and_witness_sign_together_is_a_fork_to_whoever_kept_a_checkpoint(
    trust: LogTrust, fault: str, place: int
) -> None:
    longer = [*FAULTS[fault](place), b"more", b"more still"]
    report = check(published(longer), trust, earlier=[note_of(LEAVES)])
    assert found(report) == [("forked", None)]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", [0, 255, 300, 690])
def test_a_mirror_names_the_entry_at_which_histories_part(trust: LogTrust, fault: str, place: int) -> None:
    longer = [*FAULTS[fault](place), b"more", b"more still"]
    report = check(published(longer), trust, mirror=MemoryTiles(published(LEAVES)))
    assert found(report) == [("forked", place), (fault, place)]


def test_a_rolled_back_log_is_named_with_the_first_entry_that_is_gone(trust: LogTrust) -> None:
    older = published(LEAVES[:500])
    assert found(check(older, trust, earlier=[note_of(LEAVES)])) == [("rolled-back", 500)]
    assert found(check(older, trust, mirror=MemoryTiles(published(LEAVES)))) == [("rolled-back", 500)]


def test_a_mirror_of_the_same_history_finds_nothing(trust: LogTrust) -> None:
    for size in (1, 256, 600, SIZE):
        assert check(published(LEAVES), trust, mirror=MemoryTiles(published(LEAVES[:size]))).is_sound


def test_a_mirror_that_is_no_mirror_is_said_to_be_none(trust: LogTrust) -> None:
    for files, code in (
        (published(LEAVES[:9], is_cosigned=False) | {"checkpoint": b"nothing"}, "checkpoint-untrusted"),
        (published(edited(3)) | {"checkpoint": note_of(LEAVES)}, "root-mismatch"),
    ):
        assert found(check(published(LEAVES), trust, mirror=MemoryTiles(files)))[-1][0] == code


@pytest.mark.parametrize(
    ("path", "code", "index"),
    [
        (tile_path(0, 1), "tile-missing", 256),
        (tile_path(1, 0, 2), "tile-missing", 0),
        (entries_path(1), "bundle-missing", 256),
        ("checkpoint", "checkpoint-missing", None),
    ],
)
def test_a_missing_file_is_named(trust: LogTrust, path: str, code: str, index: int | None) -> None:
    files = published(LEAVES)
    del files[path]
    assert (code, index) in found(check(files, trust))


@pytest.mark.parametrize(
    ("path", "raw", "code", "index"),
    [
        (tile_path(0, 1), b"short", "tile-malformed", 256),
        (tile_path(1, 0, 2), b"short", "tile-malformed", 0),
        (entries_path(1), b"\x00\x05sho", "bundle-malformed", 256),
        ("checkpoint", b"nothing", "checkpoint-malformed", None),
    ],
)
def test_a_malformed_file_is_named(
    trust: LogTrust, path: str, raw: bytes, code: str, index: int | None
) -> None:
    assert (code, index) in found(check(published(LEAVES) | {path: raw}, trust))


def test_an_altered_upper_tile_is_named_with_its_first_entry(trust: LogTrust) -> None:
    files = published(LEAVES)
    raw = files[tile_path(1, 0, 2)]
    files[tile_path(1, 0, 2)] = raw[:32] + bytes(32)
    assert found(check(files, trust)) == [("tile-altered", 256)]


def test_every_flipped_bit_of_every_file_is_found(trust: LogTrust) -> None:
    honest = published(LEAVES[:300])
    for path, raw in honest.items():
        for place in {0, len(raw) // 3, len(raw) // 2, len(raw) - 1}:
            altered = bytearray(raw)
            altered[place] ^= 0x10
            report = check(honest | {path: bytes(altered)}, trust)
            assert not report.is_sound, (path, place)


def test_a_checkpoint_by_another_key_is_not_believed(trust: LogTrust) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, SIZE, tree_root(LEAVES)), WITNESS)
    assert found(check(published(LEAVES) | {"checkpoint": note}, trust)) == [("checkpoint-untrusted", None)]


def test_an_earlier_checkpoint_that_the_log_never_signed_proves_nothing(trust: LogTrust) -> None:
    forged = sign_checkpoint(Checkpoint(ORIGIN, 900, bytes(32)), WITNESS)
    report = check(published(LEAVES), trust, earlier=[forged])
    assert found(report) == [("checkpoint-untrusted", None)]


def test_a_report_stays_short_however_much_is_wrong(trust: LogTrust) -> None:
    leaves = numbered_leaves(256 * 120)
    files = {path: raw for path, raw in published(leaves).items() if not path.startswith("tile/0")}
    assert len(check(files, trust).problems) == MAX_PROBLEMS


def test_an_exported_log_is_verified_from_its_folder(world: World, tmp_path: Path) -> None:
    with world.sequencer() as sequencer:
        fill(sequencer, LEAVES)
        export_log(sequencer.store.tiles, sequencer.recosign().note, tmp_path / "p", entries=True)
    assert verify_log(DirectoryTiles(tmp_path / "p"), world.trust).is_sound
    kept = (tmp_path / "p" / "checkpoint").read_bytes()
    assert parse_checkpoint(parse_note(kept).text).size == SIZE
    shutil.rmtree(tmp_path / "p" / "tile" / "entries")
    assert not verify_log(DirectoryTiles(tmp_path / "p"), world.trust).is_sound


@pytest.mark.parametrize("count", [65_535, 65_536, 65_537])
def test_trees_around_the_border_of_the_third_level_verify(trust: LogTrust, count: int) -> None:
    leaves = numbered_leaves(count)
    files = published(leaves)
    assert check(files, trust).is_sound
    top = max(levels(count))
    assert top == (1 if count < 65_536 else 2)
    tile = list(tiles_at(top, count))[-1]
    raw = files[tile.path]
    altered = check(files | {tile.path: raw[:-1] + bytes([raw[-1] ^ 1])}, trust)
    assert found(altered) == [("tile-altered", (tile.first + tile.width - 1) * 256**top)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("abc", "abc", None),
        ("axc", "abc", (ProblemCode.ENTRY_EDITED, 1)),
        ("abx", "abc", (ProblemCode.ENTRY_EDITED, 2)),
        ("ab", "abc", (ProblemCode.ENTRY_DROPPED, 2)),
        ("bc", "abc", (ProblemCode.ENTRY_DROPPED, 0)),
        ("acd", "abc", (ProblemCode.ENTRY_DROPPED, 1)),
        ("abcd", "abc", (ProblemCode.ENTRY_ADDED, 3)),
        ("xab", "abc", (ProblemCode.ENTRY_ADDED, 0)),
        ("bac", "abc", (ProblemCode.ENTRY_REORDERED, 0)),
        ("xyz", "abc", (ProblemCode.ENTRY_EDITED, 0)),
        ("", "abc", (ProblemCode.ENTRY_DROPPED, 0)),
    ],
)
def test_differences_are_called_by_their_names(
    one: str, other: str, expected: tuple[ProblemCode, int] | None
) -> None:
    assert compare([bytes([ord(c)]) for c in one], [bytes([ord(c)]) for c in other]) == expected
