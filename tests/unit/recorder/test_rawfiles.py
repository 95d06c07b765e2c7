"""Raw files: in memory's key, in nobody else's sight, and gone with their run."""

import io
import stat
from pathlib import Path

import pytest

from understudy.formats.raw.body import Start
from understudy.formats.raw.check import check
from understudy.formats.raw.events import KeyPress
from understudy.formats.raw.reader import RawReader
from understudy.formats.raw.writer import RawWriter
from understudy.formats.screen import Screen
from understudy.recorder.rawfiles import RawFiles

START = Start(
    recording="rec_" + "A" * 22, started_at=1_800_000_000, server_ms=5_000, screen=Screen(width=64, height=48)
)


def test_a_raw_file_opens_under_the_runs_key_and_under_no_other(tmp_path: Path) -> None:
    raw = RawFiles(tmp_path / "raw")
    name = raw.create()
    with raw.path(name).open("r+b", buffering=0) as file:
        writer = RawWriter(file, raw.key.sealer(name), START)
        writer.add(KeyPress(time=5_010, keycode=38, keysym=0x61))
        writer.finish()
    with raw.open(name) as source:
        (events,) = RawReader(source, raw.key.sealer(name)).items()
    assert events == (KeyPress(time=5_010, keycode=38, keysym=0x61),)
    content = raw.path(name).read_bytes()
    other = RawFiles(tmp_path / "other")
    assert check(io.BytesIO(content), raw.key.sealer(name)).is_valid
    assert check(io.BytesIO(content), other.key.sealer(name)).codes == {"bad-seal"}
    assert check(io.BytesIO(content), raw.key.sealer("another")).codes == {"bad-seal"}
    assert START.recording.encode() not in content


def test_only_the_owner_can_look(tmp_path: Path) -> None:
    raw = RawFiles(tmp_path / "raw")
    name = raw.create()
    assert stat.S_IMODE(raw.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(raw.path(name).stat().st_mode) == 0o600
    assert raw.create() != name


def test_what_a_dead_run_left_is_deleted_and_so_is_what_this_one_leaves(tmp_path: Path) -> None:
    dead = RawFiles(tmp_path / "raw")
    left = dead.path(dead.create())
    alive = RawFiles(tmp_path / "raw")
    assert not left.exists()
    assert alive.key.raw != dead.key.raw
    name = alive.create()
    alive.retire(name)
    alive.retire(name)
    kept = alive.path(alive.create())
    alive.close()
    assert not kept.exists()
    assert bytes(alive.key.raw) == bytes(32)


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "raw").mkdir(mode=0o700)
    (tmp_path / "raw" / "link").symlink_to(victim)
    RawFiles(tmp_path / "raw")
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("count", [1, 3])
def test_names_say_nothing(tmp_path: Path, count: int) -> None:
    raw = RawFiles(tmp_path / "raw")
    assert len({raw.create() for _ in range(count)}) == count
