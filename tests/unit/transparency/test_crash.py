import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.transparency.samples import OpenDraft, World, participants
from understudy.transparency.fsck import check_store
from understudy.transparency.store import open_log

ROOT = Path(__file__).parents[3]


def child(mode: str, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.transparency.child", mode, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def lost(folder: Path, lines: list[bytes]) -> list[str]:
    """Return the keys that were acknowledged and are not in the store at their place."""
    acknowledged = [line.split() for line in lines if line.startswith(b"ack ") and line.endswith(b"\n")]
    store = open_log(folder / "log.db")
    missing = []
    for _, index, key in acknowledged:
        entry = store.find(key.decode())
        if entry is None or entry[0] != int(index):
            missing.append(key.decode())
    store.close()
    return missing


def test_killed_in_the_middle_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    lines: list[bytes] = []
    for kill in range(4):
        process = child("append", tmp_path)
        assert process.stdout is not None
        assert process.stderr is not None
        lines += [process.stdout.readline() for _ in range(40 + 37 * kill)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        assert process.wait(20) == -signal.SIGKILL, process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        assert lost(tmp_path, lines) == []
    assert len([line for line in lines if line.startswith(b"ack ")]) > 300
    assert check_store(tmp_path / "log.db").problems == ()
    world = World(tmp_path)
    with world.sequencer() as sequencer:
        before = sequencer.store.head(participants(50).popitem()[0])
        assert before is not None
        entry = sequencer.append(OpenDraft("after", participants(50)))
        assert entry.openings[0].opening.n == before[0] + 1
    world.stop()


def test_the_same_check_catches_a_log_that_acknowledges_too_early(tmp_path: Path) -> None:
    process = child("early", tmp_path)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert lost(tmp_path, output.splitlines(keepends=True)) == ["two"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_a_full_disk_acknowledges_nothing_and_the_log_goes_on_afterwards(tmp_path: Path) -> None:
    process = child("full", tmp_path)
    output, errors = process.communicate(timeout=60)
    lines = output.splitlines(keepends=True)
    assert process.returncode == 0, errors
    assert errors == b""
    assert lines.count(b"refused True\n") == 3, lines
    assert lines[-1].split()[2] == b"after", lines
    assert lost(tmp_path, lines) == []
    assert check_store(tmp_path / "log.db").problems == ()
    store = open_log(tmp_path / "log.db")
    acknowledged = [line for line in lines if line.startswith(b"ack ")]
    assert store.size == len(acknowledged)
    store.close()
