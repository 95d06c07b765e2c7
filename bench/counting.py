"""Counting what becomes durable: commits in SQLite's write-ahead logs, and flush calls of whole processes.

Rules

* A commit is a frame of a WAL whose header gives the size of the database after it (SQLite file format,
  section 4.1). In mode ``synchronous=FULL`` each costs one flush. Every store is looked at, also those that
  should not write.
* Flush calls are counted by strace where it may attach; elsewhere they are not counted, and that is said.

Example: ``commits(home)`` before and after; the difference is what became durable in between.
"""

import contextlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

WAL_HEADER: Final = 32
FRAME_HEADER: Final = 24
CALLS: Final = "fsync,fdatasync,sync_file_range,msync,syncfs"
_CALL: Final = re.compile(
    r"^(?:\[pid +\d+\] |\d+ +)?(?:fsync|fdatasync|sync_file_range|msync|syncfs)\(", re.MULTILINE
)


def commits(home: Path) -> dict[str, tuple[bytes, int]]:
    """Return, for every store below ``home``, the salts of its WAL and how many commits it holds."""
    return {str(path.relative_to(home)): _commits(path) for path in sorted(home.rglob("*-wal"))}


def difference(
    before: Mapping[str, tuple[bytes, int]], after: Mapping[str, tuple[bytes, int]]
) -> dict[str, int]:
    """Return how many commits each store made in between; a WAL that began anew counts from its beginning."""
    found = {}
    for name, (salts, count) in after.items():
        known = before.get(name, (salts, 0))
        made = count - known[1] if known[0] == salts else count
        if made:
            found[name.removesuffix(".sqlite-wal")] = made
    return found


def _commits(path: Path) -> tuple[bytes, int]:
    raw = path.read_bytes()
    if len(raw) < WAL_HEADER:
        return b"", 0
    page = int.from_bytes(raw[8:12], "big")
    salts, count = raw[16:24], 0
    for at in range(WAL_HEADER, len(raw) - FRAME_HEADER - page + 1, FRAME_HEADER + page):
        if raw[at + 8 : at + 16] != salts:
            break
        count += int.from_bytes(raw[at + 4 : at + 8], "big") != 0
    return salts, count


class Flushes:
    """Counts flush calls of running processes."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids

    @property
    def can_count(self) -> bool:
        """Whether strace is there and may attach."""
        if shutil.which("strace") is None:
            return False
        with self.counted() as counted:
            time.sleep(0.05)
        return bool(counted)

    @contextlib.contextmanager
    def counted(self) -> Iterator[dict[str, int]]:
        """Give a dict that holds each process's flush calls once the block is left; empty if that failed."""
        counts: dict[str, int] = {}
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            files = {name: Path(folder) / name for name in self._pids}
            tracers = [stack.enter_context(_strace(pid, files[name])) for name, pid in self._pids.items()]
            time.sleep(0.3)
            alive = all(tracer.poll() is None for tracer in tracers)
            yield counts
            for tracer in tracers:
                tracer.send_signal(signal.SIGINT)
                tracer.wait()
            if alive:
                counts |= {name: len(_CALL.findall(path.read_text())) for name, path in files.items()}


@contextlib.contextmanager
def _strace(pid: int, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = ("strace", "-f", "-qq", "-e", f"trace={CALLS}", "-o", str(out), "-p", str(pid))
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield tracer
    finally:
        if tracer.poll() is None:
            tracer.kill()
        tracer.wait()
