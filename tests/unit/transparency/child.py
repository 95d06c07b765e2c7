"""A log in a process of its own, for tests that kill it or take its disk away.

Usage: ``python -m tests.unit.transparency.child MODE FOLDER``; prints ``ack INDEX KEY`` for each
acknowledged entry.
"""

import os
import resource
import signal
import sys
import threading
from pathlib import Path

from tests.unit.transparency.samples import OpenDraft, RawDraft, World, participants
from understudy.transparency.errors import AppendError, StorageError, StoreError
from understudy.transparency.sequencer import Sequencer

_PRINTING = threading.Lock()


def acknowledge(index: int, key: str) -> None:
    """Tell the parent, in one write."""
    with _PRINTING:
        os.write(1, f"ack {index} {key}\n".encode())


def append_for_ever(sequencer: Sequencer, worker: int) -> None:
    """Append until killed; acknowledge what came back."""
    turn = 0
    while True:
        key = f"w{worker}-{turn}"
        entry = sequencer.append(OpenDraft(key, participants(1 + worker, 50)), timeout=60)
        acknowledge(entry.index, key)
        turn += 1


def acknowledge_early(sequencer: Sequencer) -> None:
    """The seeded fault: acknowledge before the commit, and die."""
    sequencer.append(RawDraft(b"one", request_key="one"))
    acknowledge(0, "one")
    hold = threading.Event()

    class SlowDraft(RawDraft):
        def leaf(self, index: int, time: int, root: bytes | None) -> bytes:  # noqa: ARG002
            hold.wait(10)
            return b"two"

    sequencer.submit(SlowDraft(b"", request_key="two"))
    acknowledge(1, "two")
    os.kill(os.getpid(), signal.SIGKILL)


def fill_the_disk(world: World, sequencer: Sequencer) -> None:
    """Append until files may not grow; then let them grow again, and go on."""
    sequencer.append(RawDraft(b"before", request_key="before"))
    acknowledge(0, "before")
    wal = world.path.with_name("log.db-wal").stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal + 300_000, hard))
    refused = 0
    for number in range(100):
        try:
            entry = sequencer.append(RawDraft(bytes(20_000), request_key=f"big{number}"), durable_only=True)
        except StorageError as error:
            os.write(1, f"refused {error.hint != ''}\n".encode())
            refused += 1
            if refused == 3:
                break
        else:
            acknowledge(entry.index, f"big{number}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    entry = sequencer.append(RawDraft(b"after", request_key="after"))
    acknowledge(entry.index, "after")


def main(mode: str, folder: Path) -> None:
    """Run one mode."""
    world = World(folder)
    if not world.path.exists():
        world.create()
    sequencer = world.sequencer()
    if mode == "append":
        for worker in range(8):
            threading.Thread(target=append_for_ever, args=(sequencer, worker), daemon=True).start()
        threading.Event().wait()
    elif mode == "early":
        acknowledge_early(sequencer)
    elif mode == "full":
        try:
            fill_the_disk(world, sequencer)
        except (AppendError, StoreError) as error:
            os.write(1, f"failed {type(error).__name__}\n".encode())
        sequencer.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
