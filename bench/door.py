"""The door: how long one open takes end to end, and how often it makes the disk flush.

    make bench-door                                       figures and checks
    make bench-door BENCH_ARGS="--break skip-witness"     with that fault built in: must exit 1

Rules

* Server, custodian and witness are real processes; the reader asks over HTTP, checks the entry and opens both
  halves. The ciphertext is not fetched.
* Between any two opens the disk is probed: a write of 4 KiB with fsync, and a commit of SQLite. An open may
  cost three flushes and 10 ms. The target moves with the disk, not with the processor.
* ``cpu_ms`` is processor time for one open, by process: what is left when other programs use the machine too.
* What is fast must also be right: every open is one entry, one number of the participant's list, three
  commits in three stores; and an entry that nobody cosigned releases nothing. With a fault built in, at least
  one check fails.
* ``--rehearse`` builds in every fault, one after the other, and says which check caught it.
* The last line is JSON: figures and evidence.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.broken.sitecustomize import FAULTS
from bench.counting import Flushes, commits, difference
from bench.flush import Commit, Flush, percentile
from bench.forged import uncosigned_release
from tests.machine import REASON, Machine, MachineError
from understudy.client.mine import reads_of_mine
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import UnderstudyError
from understudy.contract.messages import OpenAnswer, OpenCall

SEED: Final = 20_240_601
OPENS: Final = 200
WARM_UP: Final = 20
COUNTED: Final = 12
FLUSHES_ALLOWED: Final = 3
EXTRA_MS: Final = 10.0
STORES: Final = {"custodian/custodian": 1, "server/log": 1, "witness/witness": 1}
"""What one open may make durable, and where."""


@dataclass
class Figures:
    """What was measured, in milliseconds, and which checks failed."""

    flush: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)
    opens: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    per_open: dict[str, int] = field(default_factory=dict)
    flush_calls: dict[str, float] | None = None
    cpu: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def target(self) -> float:
        """The most that the median open may take."""
        return FLUSHES_ALLOWED * percentile(self.flush, 0.5) + EXTRA_MS

    def check(self, name: str, *, holds: bool) -> None:
        """Note a check that does not hold."""
        if not holds:
            self.failed.append(name)


class Timed:
    """The server, with its opens timed: what the reader itself does is the difference."""

    def __init__(self, server: Any, times: list[float]) -> None:
        self._server = server
        self._times = times

    def open(self, call: OpenCall) -> OpenAnswer:
        """Open, and note how long the answer took."""
        started = time.perf_counter()
        answer: OpenAnswer = self._server.open(call)
        self._times.append((time.perf_counter() - started) * 1_000)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


def main() -> int:
    """Run the benchmark; return 1 if a check fails or the target is missed."""
    parser = argparse.ArgumentParser(description="how long an open takes, and how often it flushes")
    parser.add_argument("--opens", type=int, default=OPENS, help="measured opens")
    parser.add_argument("--break", dest="broken", choices=sorted(FAULTS), default="", help="seed a fault")
    parser.add_argument("--rehearse", action="store_true", help="seed every fault, one after the other")
    options = parser.parse_args()
    caught = _rehearse() if options.rehearse else {}
    figures = Figures()
    try:
        with Machine.started(broken=options.broken) as machine:
            _measure(machine, options.opens, figures)
    except (UnderstudyError, MachineError) as error:
        figures.failed.append(f"runs at all: {type(error).__name__}: {error}")
    return _report(figures, options, caught)


def _measure(machine: Machine, opens: int, figures: Figures) -> None:
    machine.enrol()
    segments = machine.share(1, seed=SEED)
    grant = machine.grant()
    reader = machine.reader(Timed(machine.server, figures.server))

    def one() -> None:
        reader.obtain_halves(grant, REASON, segments)

    for _ in range(WARM_UP):
        one()
    figures.server.clear()
    probes = ((Flush(machine.folder), figures.flush), (Commit(machine.folder), figures.commit))
    spent = _processor_ms(machine)
    for _ in range(opens):
        for probe, times in probes:
            times.append(probe.once())
        started = time.perf_counter()
        one()
        figures.opens.append((time.perf_counter() - started) * 1_000)
    figures.cpu = {
        name: round((now - spent[name]) / opens, 2) for name, now in _processor_ms(machine).items()
    }
    for probe, _ in probes:
        probe.close()
    _count(machine, one, figures)
    made = WARM_UP + opens + _counted(figures)
    _check_list(machine, made, figures)
    figures.check(
        "an uncosigned entry releases nothing", holds=not uncosigned_release(machine, grant, segments)
    )


def _processor_ms(machine: Machine) -> dict[str, float]:
    """Return the processor time that every process has spent, this one included."""
    tick = os.sysconf("SC_CLK_TCK")
    found = {"reader": time.process_time() * 1_000}
    for name, pid in machine.pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found[name] = (int(fields[11]) + int(fields[12])) * 1_000 / tick
    return found


def _counted(figures: Figures) -> int:
    return COUNTED if figures.flush_calls is None else 2 * COUNTED


def _count(machine: Machine, one: Callable[[], None], figures: Figures) -> None:
    """Count commits of single opens, and flush calls over several; the parties' timers may add a few."""
    seen: list[dict[str, int]] = []
    for _ in range(COUNTED):
        before = commits(machine.home)
        one()
        seen.append(difference(before, commits(machine.home)))
    figures.per_open = max(seen, key=seen.count)
    figures.check("an open commits once in each of three stores", holds=figures.per_open == STORES)
    flushes = Flushes(machine.pids)
    if not flushes.can_count:
        return
    with flushes.counted() as counts:
        for _ in range(COUNTED):
            one()
    figures.flush_calls = {name: count / COUNTED for name, count in counts.items()}
    total = sum(figures.flush_calls.values())
    figures.check("an open flushes three times", holds=FLUSHES_ALLOWED <= round(total) <= FLUSHES_ALLOWED)


def _check_list(machine: Machine, made: int, figures: Figures) -> None:
    """Check that every open is on the participant's own verified list."""
    device = machine.device
    try:
        mine = reads_of_mine(
            device.personal,
            machine.document,
            device.enrolment.hash(EnrolmentRecord),
            [machine.custodian],
            machine.server,
            machine.clock,
        )
    except UnderstudyError:
        figures.failed.append("the participant's list closes")
        return
    released = sum(read.outcome == "released" for read in mine.reads)
    figures.check("every open is on the participant's list", holds=released == made)


def _rehearse() -> dict[str, str]:
    """Run this benchmark with every fault; return the check that caught each."""
    caught = {}
    for name in FAULTS:
        command = (sys.executable, "-m", "bench.door", "--break", name, "--opens", "30")
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
        result = json.loads(ran.stdout.splitlines()[-1])
        caught[name] = "; ".join(result["failed"]) or ("" if result["met"] else "the target is missed")
        if name == "lazy-log" and result["evidence"]["flushes_per_open"] is None:
            caught[name] = "nothing: flushes cannot be counted on this machine"
    return caught


def _report(figures: Figures, options: argparse.Namespace, caught: dict[str, str]) -> int:
    result: dict[str, Any] = {"bench": "door", "failed": figures.failed, "met": False}
    if figures.opens:
        p50, flush = percentile(figures.opens, 0.5), percentile(figures.flush, 0.5)
        result |= {
            "flush_ms": flush,
            "commit_ms": percentile(figures.commit, 0.5),
            "open_p50_ms": p50,
            "open_p95_ms": percentile(figures.opens, 0.95),
            "server_p50_ms": percentile(figures.server, 0.5),
            "open_to_flush": p50 / flush,
            "target_ms": figures.target,
            "cpu_ms": figures.cpu,
            "met": p50 <= figures.target,
        }
        for name in ("flush_ms", "commit_ms", "open_p50_ms", "open_p95_ms", "server_p50_ms", "open_to_flush"):
            print(f"{name} {result[name]:.3f}")
        print(f"commits_per_open {sum(figures.per_open.values())} {_spelled(figures.per_open)}")
        calls = figures.flush_calls
        counted = "not counted" if calls is None else f"{sum(calls.values()):.2f} {_spelled(calls)}"
        print(f"flushes_per_open {counted}")
        print(f"cpu_ms {sum(figures.cpu.values()):.2f} {_spelled(figures.cpu)}")
        verdict = "met" if result["met"] else "missed"
        print(f"open_p50_ms {p50:.3f} <= 3 * flush_ms + 10 = {figures.target:.3f}: {verdict}")
    for name, check in caught.items():
        print(f"fault {name} {'caught: ' + check if check else 'NOT CAUGHT'}")
    for name in figures.failed:
        print(f"failed {name}")
    result["evidence"] = {
        "samples": len(figures.opens),
        "warm_up": WARM_UP,
        "seed": SEED,
        "commits_per_open": figures.per_open,
        "flushes_per_open": figures.flush_calls,
        "fault": options.broken,
        "faults": caught,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    print(json.dumps(_rounded(result)))
    missed = any(not check for check in caught.values())
    return 1 if figures.failed or missed or not result["met"] else 0


def _spelled(counts: dict[str, Any]) -> str:
    return " ".join(f"{name}={count:g}" for name, count in sorted(counts.items()))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_rounded(item) for item in value]
    return value


if __name__ == "__main__":
    sys.exit(main())
