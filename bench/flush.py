"""Raw flush probes: what the disk alone costs, to hold a benchmark's figures against.

Rules

* ``Flush``: 4 KiB appended to one file and ``fsync``, the least that makes anything durable.
* ``Commit``: one row in SQLite's WAL with ``synchronous=FULL``, as every store here commits.
* Probes run between the measured calls, on the same file system, so that a slow minute slows both.
* Times are milliseconds, by a clock that only goes forward.

Example: ``Flush(folder).once()`` is a number of milliseconds.
"""

import os
import sqlite3
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PAGE: Final = bytes(4_096)


class Flush:
    """Appends 4 KiB to a file and flushes it."""

    def __init__(self, folder: Path) -> None:
        self._file: Final = os.open(folder / "probe", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def once(self) -> float:
        """Return the milliseconds of one write and fsync."""
        started = time.perf_counter()
        os.write(self._file, PAGE)
        os.fsync(self._file)
        return (time.perf_counter() - started) * 1_000

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class Commit:
    """Commits one row to SQLite in WAL mode with ``synchronous=FULL``."""

    def __init__(self, folder: Path) -> None:
        self._database: Final = sqlite3.connect(folder / "probe.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE probe(row BLOB)")

    def once(self) -> float:
        """Return the milliseconds of one transaction."""
        started = time.perf_counter()
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("INSERT INTO probe VALUES (?)", (PAGE[:1_000],))
        self._database.execute("COMMIT")
        return (time.perf_counter() - started) * 1_000

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lie, linearly between neighbours.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.5
    """
    return statistics.quantiles(values, n=1_000, method="inclusive")[round(share * 1_000) - 1]


def milliseconds(value: float) -> str:
    """Return ``value`` as people read it.

    >>> milliseconds(1.23456)
    '1.235 ms'
    """
    return f"{value:.3f} ms"
