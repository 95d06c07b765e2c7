"""Killing a programme at every step at which something becomes durable, and seeing what is found afterwards.

Rules

* A step is a commit of any SQLite connection or a flush of any file, of any party or device. At each, before
  it happens, all folders are copied: that is what a machine finds that was killed there.
* What had been acknowledged by then is noted with the copy.
* Only what processes wrote is there, as after ``kill -9``; a disk that forgets what it flushed is not
  simulated.

Example::

    with Steps(world, copies) as steps:
        ana.enrol()
        steps.acknowledged("enrolled")
    for copy in steps.taken: ...
"""

import os
import shutil
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.simulator import Simulator

_LEFT_OUT: Final = shutil.ignore_patterns("*-shm", "*.lock")


@dataclass(frozen=True)
class Copy:
    """What a kill at one step leaves."""

    root: Path
    at: int
    acknowledged: tuple[str, ...]


class Steps:
    """Copies a programme's folders before every commit and flush."""

    def __init__(self, world: Simulator, folder: Path) -> None:
        self._world = world
        self._folder = folder
        self._patch = pytest.MonkeyPatch()
        self._copying = threading.RLock()
        self._is_on = False
        self._acknowledged: list[str] = []
        self.taken: list[Copy] = []

    def __enter__(self) -> Self:
        real = os.fsync

        def fsync(descriptor: int) -> None:
            self._copy()
            real(descriptor)

        self._patch.setattr(os, "fsync", fsync)
        for module in (sqlite3, sqlite3.dbapi2):
            self._patch.setattr(module, "connect", self._traced(module.connect))
        for party in ("custodian", "witness", "server"):
            self._world.restart(party)  # so that every connection is a traced one
        self._is_on = True
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()

    def acknowledged(self, what: str) -> None:
        """Note that somebody was told so: from here on it has to be true."""
        self._acknowledged.append(what)

    def _traced(self, connect: Any) -> Any:
        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **options)
            connection.set_trace_callback(lambda sql: self._copy() if sql.startswith("COMMIT") else None)
            return connection

        return traced

    def _copy(self) -> None:
        with self._copying:
            if not self._is_on:
                return
            root = self._folder / f"{len(self.taken):03d}"
            shutil.copytree(self._world.root, root, ignore=_LEFT_OUT)
            self.taken.append(Copy(root, self._world.clock.now(), tuple(self._acknowledged)))
