"""Seeded faults for benchmarks: patched into a process as it starts, when the environment names one.

Rules

* Python imports this file by itself when its folder is on ``PYTHONPATH``; ``tests/machine.py`` puts it there
  only for ``--break``. Nothing of the product knows of it.
* Each fault is one a careless change could bring. The benchmark has to fail with it.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def skip_witness() -> None:
    """The log acknowledges entries that nobody has cosigned yet."""
    from understudy.transparency import sequencer  # noqa: PLC0415

    real = sequencer.Sequencer.append

    def append(self: Any, draft: Any, **options: Any) -> Any:
        return real(self, draft, **{**options, "durable_only": True})

    sequencer.Sequencer.append = append  # type: ignore[method-assign]


def skip_custodian_log_check() -> None:
    """The custodian takes checkpoints that only the log has signed."""
    from understudy.custody import door  # noqa: PLC0415
    from understudy.transparency.checkpoint import verify_checkpoint  # noqa: PLC0415

    def verify(pinned: Any, note: bytes) -> Any:
        return verify_checkpoint(note, log_key=pinned.trust.log_key, witnesses=(), quorum=0)

    vars(door).update(verify_note=verify, _staleness=lambda *_: None)


def skip_numbers() -> None:
    """The custodian releases without numbering the participant's entry."""
    from understudy.custody import admission  # noqa: PLC0415

    admission.Admission._number = lambda *_: None  # type: ignore[method-assign]  # noqa: SLF001


def double_flush() -> None:
    """The custodian commits twice for every open."""
    from understudy.custody import store  # noqa: PLC0415

    real = store.Store.transaction

    @contextmanager
    def transaction(self: Any) -> Iterator[None]:
        with real(self):
            yield
        with real(self):
            self.database.write("CREATE TABLE IF NOT EXISTS again(at REAL)")
            self.database.write("INSERT INTO again VALUES (?)", time.time())

    store.Store.transaction = transaction  # type: ignore[method-assign]


def lazy_log() -> None:
    """The log commits without flushing: SQLite in mode NORMAL."""
    from understudy.transparency import database  # noqa: PLC0415

    real = database.connect

    def connect(*arguments: Any, **options: Any) -> Any:
        found = real(*arguments, **options)
        found.row("PRAGMA synchronous=NORMAL")
        return found

    database.connect = connect


def slow_door() -> None:
    """The door waits a twentieth of a second."""
    from understudy.access import door  # noqa: PLC0415

    real = door.Door.open

    def slow(self: Any, call: Any) -> Any:
        time.sleep(0.05)
        return real(self, call)

    door.Door.open = slow  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "skip-witness": skip_witness,
    "skip-custodian-log-check": skip_custodian_log_check,
    "skip-numbers": skip_numbers,
    "double-flush": double_flush,
    "lazy-log": lazy_log,
    "slow-door": slow_door,
}

if os.environ.get("UNDERSTUDY_BENCH_FAULT") in FAULTS:
    FAULTS[os.environ["UNDERSTUDY_BENCH_FAULT"]]()
