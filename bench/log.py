"""The log: appends a second at several degrees of concurrency, against a commit alone on the same disk.

    make bench-log                                       figures and checks
    make bench-log BENCH_ARGS="--break skip-witness"     with that fault built in: must exit 1

Rules

* Sequencer and witness are the real ones, in this process, on the project's file system. An append is
  acknowledged when it is durable and cosigned: two flushes, the log's and the witness's, shared by all that
  wait.
* The disk is probed between the rounds. ``appends_per_commit`` is how many appends come out of the time of
  one commit alone.
* What is fast must also be right: every acknowledged entry is in the log that is found after a restart, once,
  in its place and under a cosigned checkpoint; an append commits once in each of two stores, and each commit
  is flushed. Flushes are counted by strace, where it may attach.
* ``--rehearse`` builds in every fault, one after the other, and says which check caught it.
* The last line is JSON: figures and evidence.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.counting import Flushes, commits, difference
from bench.flush import Commit, Flush, percentile
from understudy.consent.clock import SystemClock
from understudy.sealing.signing import SigningKey
from understudy.transparency import database
from understudy.transparency.batch import Batch, Placed
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.draft import Appended, DraftParticipant
from understudy.transparency.leaves import DenialsLeaf, encode_leaf
from understudy.transparency.merkle import MemoryTree, leaf_hash
from understudy.transparency.note import VerifierKey
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.store import create_log, open_log
from understudy.transparency.trust import LogTrust
from understudy.transparency.witness import LocalCosigner, Witness

SEED: Final = 20_240_601
CONCURRENCY: Final = (1, 4, 16, 64, 256)
ROUND_SECONDS: Final = 1.5
PROBES: Final = 40
ORIGIN: Final = "understudy.example/bench"
WITNESS: Final = "understudy.example/bench-witness"
PLACE: Final = Path(__file__).resolve().parent.parent / "build" / "machines"


@dataclass(frozen=True)
class Entry:
    """A draft of a few hundred bytes without participants."""

    number: int
    participants: Mapping[str, DraftParticipant] = field(default_factory=dict)

    @property
    def request_key(self) -> str:
        """One entry for each number."""
        return f"bench:{self.number}"

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        """Return the leaf."""
        del index, time, root
        programme = "prg_" + "A" * 22
        return encode_leaf(DenialsLeaf(programme=programme, count=self.number, since=0, until=0))


class Log:
    """A log with its witness, in a folder of its own, and what it has acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self._key, self._cosigning = SigningKey.generate(), SigningKey.generate()
        self._log_key = VerifierKey.log(ORIGIN, self._key.public)
        self._numbers = iter(range(1, 1 << 40))
        self._lock = threading.Lock()
        self.acknowledged: dict[int, Appended] = {}
        create_log(folder / "log.sqlite", origin=ORIGIN, key=self._key)
        Witness.create(folder / "witness.sqlite", name=WITNESS, key=self._cosigning)
        self.trust: Final = LogTrust(
            self._log_key, (VerifierKey.witness(WITNESS, self._cosigning.public),), 1
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Sequencer]:
        """Run sequencer and witness."""
        clock = SystemClock()
        witness = Witness(
            self.folder / "witness.sqlite",
            name=WITNESS,
            key=self._cosigning,
            logs=[self._log_key],
            clock=clock,
        )
        link = WitnessLink(self.trust.witnesses[0], LocalCosigner(witness))
        try:
            with Sequencer(
                self.folder / "log.sqlite", key=self._key, witnesses=[link], quorum=1, clock=clock
            ) as sequencer:
                yield sequencer
        finally:
            witness.close()

    def append(self, sequencer: Sequencer) -> float:
        """Append one entry; return the milliseconds until it was acknowledged."""
        with self._lock:
            number = next(self._numbers)
        started = time.perf_counter()
        appended = sequencer.append(Entry(number))
        took = (time.perf_counter() - started) * 1_000
        with self._lock:
            self.acknowledged[number] = appended
        return took

    def spend(self, sequencer: Sequencer, width: int, seconds: float) -> tuple[list[float], float]:
        """Append from ``width`` threads; return each append's milliseconds, and the seconds in all."""
        times: list[float] = []
        until = time.perf_counter() + seconds

        def work() -> None:
            while time.perf_counter() < until:
                times.append(self.append(sequencer))

        started = time.perf_counter()
        threads = [threading.Thread(target=work) for _ in range(width)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times, time.perf_counter() - started


@dataclass
class Figures:
    """What was measured."""

    flush: list[float] = field(default_factory=list)
    commit: dict[int, list[float]] = field(default_factory=dict)
    rates: dict[int, float] = field(default_factory=dict)
    times: dict[int, list[float]] = field(default_factory=dict)
    per_append: dict[str, int] = field(default_factory=dict)
    flush_calls: float | None = None
    failed: list[str] = field(default_factory=list)


def main() -> int:
    """Run the benchmark; return 1 if a check fails."""
    parser = argparse.ArgumentParser(description="appends a second, and what they are worth")
    parser.add_argument("--seconds", type=float, default=ROUND_SECONDS, help="length of each round")
    parser.add_argument("--break", dest="broken", choices=sorted(FAULTS), default="", help="seed a fault")
    parser.add_argument("--rehearse", action="store_true", help="seed every fault, one after the other")
    options = parser.parse_args()
    caught = _rehearse() if options.rehearse else {}
    if options.broken:
        FAULTS[options.broken]()
    PLACE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="log-", dir=PLACE))
    try:
        figures = _measure(Log(folder), options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _report(figures, options, caught)


def _measure(log: Log, seconds: float) -> Figures:
    figures, order = Figures(), list(CONCURRENCY)
    random.Random(SEED).shuffle(order)
    flush, commit = Flush(log.folder), Commit(log.folder)
    with log.running() as sequencer:
        log.spend(sequencer, 4, 0.2)
        _count(log, sequencer, figures)
        for width in order:
            probes = figures.commit[width] = [commit.once() for _ in range(PROBES // 2)]
            figures.times[width], took = log.spend(sequencer, width, seconds)
            figures.rates[width] = len(figures.times[width]) / took
            probes += [commit.once() for _ in range(PROBES // 2)]
            figures.flush += [flush.once() for _ in range(PROBES)]
    flush.close()
    commit.close()
    figures.failed += [name for name, holds in _checks(log, figures).items() if not holds]
    return figures


def _count(log: Log, sequencer: Sequencer, figures: Figures) -> None:
    """Count what one append alone commits, and how often it flushes."""
    seen = []
    for _ in range(8):
        before = commits(log.folder)
        log.append(sequencer)
        seen.append(difference(before, commits(log.folder)))
    figures.per_append = max(seen, key=seen.count)
    flushes = Flushes({"bench": os.getpid()})
    if flushes.can_count:
        with flushes.counted() as counts:
            for _ in range(20):
                log.append(sequencer)
        figures.flush_calls = counts["bench"] / 20


def _checks(log: Log, figures: Figures) -> dict[str, bool]:
    """Return what has to hold of the log that is found after a restart."""
    store = open_log(log.folder / "log.sqlite")
    leaves = store.entries(0, store.size)
    store.close()
    with log.running() as sequencer:
        root = log.trust.verify(sequencer.fresh(0).note).checkpoint.root
    numbers = [json.loads(leaf)["count"] for leaf in leaves]
    return {
        "every acknowledged entry is in its place": all(
            numbers[appended.index : appended.index + 1] == [number]
            for number, appended in log.acknowledged.items()
        ),
        "every entry is there once": len(numbers) == len(set(numbers)) == len(log.acknowledged),
        "every entry was acknowledged under a cosigned checkpoint": all(
            appended.checkpoint.newest_quorum_time and appended.checkpoint.checkpoint.size > appended.index
            for appended in log.acknowledged.values()
        ),
        "the witness cosigned these entries": root == MemoryTree([leaf_hash(leaf) for leaf in leaves]).root,
        "an append commits once in log and witness": figures.per_append == {"log": 1, "witness": 1},
        "an append flushes twice": figures.flush_calls is None or round(figures.flush_calls) == 2,  # noqa: PLR2004
    }


def _rehearse() -> dict[str, str]:
    """Run this benchmark with every fault; return the check that caught each."""
    caught = {}
    for name in FAULTS:
        command = (sys.executable, "-m", "bench.log", "--break", name, "--seconds", "0.2")
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
        result = json.loads(ran.stdout.splitlines()[-1])
        caught[name] = "; ".join(result["failed"])
        if not caught[name] and name == "lazy-log" and result["evidence"]["flushes_per_append"] is None:
            caught[name] = "nothing: flushes cannot be counted on this machine"
    return caught


def _report(figures: Figures, options: argparse.Namespace, caught: dict[str, str]) -> int:
    print(f"flush_ms {percentile(figures.flush, 0.5):.3f}")
    calls = figures.flush_calls
    print(f"flushes_per_append {'not counted' if calls is None else f'{calls:.2f}'}")
    rounds = {}
    for width in CONCURRENCY:
        commit_ms = percentile(figures.commit[width], 0.5)
        rounds[width] = {
            "appends_per_second": round(figures.rates[width], 1),
            "append_p50_ms": round(percentile(figures.times[width], 0.5), 3),
            "commit_ms": round(commit_ms, 3),
            "appends_per_commit": round(figures.rates[width] * commit_ms / 1_000, 3),
        }
        for name, value in rounds[width].items():
            print(f"{name}_{width} {value}")
    for name, check in caught.items():
        print(f"fault {name} {'caught: ' + check if check else 'NOT CAUGHT'}")
    for name in figures.failed:
        print(f"failed {name}")
    evidence = {
        "samples": sum(len(times) for times in figures.times.values()),
        "seconds_per_round": options.seconds,
        "seed": SEED,
        "commits_per_append": figures.per_append,
        "flushes_per_append": calls,
        "fault": options.broken,
        "faults": caught,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    result: dict[str, Any] = {"bench": "log", "failed": figures.failed, "rounds": rounds}
    print(json.dumps({**result, "evidence": evidence}))
    return 1 if figures.failed or any(not check for check in caught.values()) else 0


def _lazy_log() -> None:
    """Commit without flushing."""
    real = database.connect

    def connect(*arguments: Any, **options: Any) -> database.Database:
        found = real(*arguments, **options)
        found.row("PRAGMA synchronous=OFF")
        return found

    for module in list(sys.modules.values()):
        if getattr(module, "connect", None) is real:
            module.connect = connect  # type: ignore[attr-defined]


def _skip_witness() -> None:
    """Acknowledge what nobody has cosigned."""
    real = Sequencer.append

    def append(self: Sequencer, draft: Any, **_: Any) -> Appended:
        return real(self, draft, durable_only=True)

    Sequencer.append = append  # type: ignore[method-assign]


def _wrong_index() -> None:
    """Tell every fiftieth caller somebody else's place."""
    real = Batch.add

    def add(self: Batch, draft: Any) -> Placed:
        placed = real(self, draft)
        moved = placed.index % 50 == 49  # noqa: PLR2004
        return Placed(placed.index - 1, placed.leaf, placed.openings) if moved else placed

    Batch.add = add  # type: ignore[method-assign]


FAULTS: Final[dict[str, Callable[[], None]]] = {
    "lazy-log": _lazy_log,
    "skip-witness": _skip_witness,
    "wrong-index": _wrong_index,
}

if __name__ == "__main__":
    sys.exit(main())
