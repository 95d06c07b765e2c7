"""When a write returns, it is on the disk; when it raises, nothing has changed."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.sealing.durable import durable_remove, durable_write, flush_folder, private_folder
from understudy.sealing.errors import AlreadyWrittenError, DurabilityError


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_whole_private_and_alone(tmp_path: Path) -> None:
    durable_write(tmp_path / "a", b"content")
    assert (tmp_path / "a").read_bytes() == b"content"
    assert _mode(tmp_path / "a") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").stat().st_nlink == 1


def test_the_umask_neither_widens_nor_narrows(tmp_path: Path) -> None:
    for umask in (0o000, 0o077, 0o022):
        before = os.umask(umask)
        try:
            durable_write(tmp_path / f"private-{umask}", b"")
            durable_write(tmp_path / f"public-{umask}", b"", mode=0o644)
        finally:
            os.umask(before)
        assert _mode(tmp_path / f"private-{umask}") == 0o600
        assert _mode(tmp_path / f"public-{umask}") == 0o644


def test_write_once_means_once(tmp_path: Path) -> None:
    durable_write(tmp_path / "a", b"first")
    with pytest.raises(AlreadyWrittenError):
        durable_write(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    durable_write(tmp_path / "a", b"third", exclusive=False)
    assert (tmp_path / "a").read_bytes() == b"third"
    assert len(list(tmp_path.iterdir())) == 1


def test_write_once_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AlreadyWrittenError):
        durable_write(tmp_path / "link", b"content")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("exclusive", [True, False])
def test_file_is_flushed_then_named_then_the_folder_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exclusive: bool
) -> None:
    seen: list[tuple[str, bool]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append((kind, (tmp_path / "a").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    durable_write(tmp_path / "a", b"content", exclusive=exclusive)
    assert seen == [("file", False), ("folder", True)]


def test_a_failed_flush_is_never_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(DurabilityError, match="Input/output"):
        durable_write(tmp_path / "a", b"content")
    assert list(tmp_path.iterdir()) == []


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, part: write(descriptor, bytes(part[:3])))
    durable_write(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


FULL_DISK = """
import resource, sys
from pathlib import Path
from understudy.sealing.durable import durable_write
from understudy.sealing.errors import DurabilityError
durable_write(Path(sys.argv[1]) / "kept", b"x" * 1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
for exclusive in (True, False):
    try:
        name = "new" if exclusive else "kept"
        durable_write(Path(sys.argv[1]) / name, b"y" * 9000, exclusive=exclusive)
    except DurabilityError as error:
        print(error.hint)
"""


def test_a_full_disk_leaves_the_old_file_and_no_trace_of_the_new(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("free space") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"x" * 1000


WRITER = """
import sys
from pathlib import Path
from understudy.sealing.durable import durable_write
number = 0
while True:
    durable_write(Path(sys.argv[1]) / f"{number:06}", f"{number:06}".encode() * 2_000)
    print(number, flush=True)
    number += 1
"""


def test_what_was_acknowledged_before_a_kill_is_there_whole(tmp_path: Path) -> None:
    for round_number in range(3):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
        ) as writer:
            if writer.stdout is None:
                pytest.fail("no pipe")
            acknowledged = [int(writer.stdout.readline()) for _ in range(20 + 7 * round_number)]
            writer.send_signal(signal.SIGKILL)
        for number in acknowledged:
            assert (folder / f"{number:06}").read_bytes() == f"{number:06}".encode() * 2_000
        for path in folder.iterdir():
            if not path.name.startswith("."):
                assert path.read_bytes() == path.name.encode() * 2_000


def test_a_missing_folder_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(DurabilityError):
        durable_write(tmp_path / "no" / "a", b"")
    with pytest.raises(DurabilityError):
        durable_remove(tmp_path / "no" / "a")
    with pytest.raises(OSError, match="directory"):
        flush_folder(tmp_path / "no")


def test_removing_is_durable_and_may_be_repeated(tmp_path: Path) -> None:
    durable_write(tmp_path / "a", b"")
    durable_remove(tmp_path / "a")
    durable_remove(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_private_with_all_their_missing_parents(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = private_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert private_folder(made) == made
    for folder in (made, made.parent, made.parent.parent):
        assert _mode(folder) == 0o700
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DurabilityError):
            private_folder(path)
