"""Capture of input: what is lost, what it costs, how exact its times are, and whether secrets stay back.

    make bench-capture                                       figures, checks, seeded faults
    make bench-capture BENCH_ARGS="--break drop-motion"      with that fault built in: must exit 1

Rules

* A process injects by XTEST into a virtual display of its own; another reads. Every rate is measured twice,
  in random order: with the recorder's reader (gate behind it), and with a bare loop that only counts, which
  is what this machine allows.
* Nothing may be lost, in number, order, key, or place of a press. Times may be off by the kernel's tick.
* ``cpu_percent`` is processor time against wall time, of the reader alone. At the rate of a person it is
  measured three times and the least counts: what other programs do to the caches can only add to it.
* The gate is tried with people who type secrets while the program hears of it late; a gate that asks only at
  the key must leak in the same trials, or they prove nothing.
* Without ``--break`` every fault is built in, one after the other, and must fail.
* The last line is JSON: figures and evidence.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.flush import percentile
from tests.typing_trials import leaks
from understudy.demo.desktop import Desktop
from understudy.formats.raw.events import CLOCK
from understudy.recorder.capture.gate import Gate

SEED: Final = 20_240_601
PERSON: Final = 100
RATES: Final = {PERSON: 5.0, 1_000: 4.0, 5_000: 3.0, 20_000: 1.0}
TRIALS: Final = 2_000
CPU_PERCENT: Final = 2.0
RSS_MB: Final = 60.0
TIME_ERROR_MS: Final = 10.0
"""At the 95th percentile: a tick of the kernel's coarse clock is 4 ms, and the server waits its turn."""
FAULTS: Final = ("drop-motion", "no-record", "no-hold", "check-at-key-time")
_READER_FAULTS: Final = ("drop-motion", "no-record")


class Round:
    """One rate, one reader: what was injected and what was read."""

    def __init__(self, injected: dict[str, Any], read: dict[str, Any]) -> None:
        self.injected = injected
        self.read = read

    @property
    def cpu_percent(self) -> float:
        """Processor time of the reader, of one core."""
        return 100 * float(self.read["cpu"]) / float(self.read["wall"])

    @property
    def lost(self) -> int:
        """Events that were injected and not seen."""
        if "presses" not in self.read:
            return int(self.injected["events"] - self.read["events"])
        missing = len(self.injected["presses"]) - len(self.read["presses"])
        return abs(missing) + abs(int(self.injected["motions"] - self.read["motions"]))

    @property
    def wrong(self) -> int:
        """Presses and releases of another key, in another order, or at another place than injected."""
        pairs = zip(self.injected["presses"], self.read["presses"], strict=False)
        return sum(
            tuple(one[:2]) != tuple(two[:2]) or (two[2] >= 0 and tuple(one[2:4]) != tuple(two[2:4]))
            for one, two in pairs
        )

    @property
    def delays(self) -> list[float]:
        """Milliseconds from the injection of a press to its arrival in the reader."""
        pairs = zip(self.injected["presses"], self.read["presses"], strict=False)
        return [(two[5] - one[4]) / 1e6 for one, two in pairs]

    @property
    def time_errors(self) -> list[float]:
        """Milliseconds between the server's stamp of a press and its injection."""
        found = []
        for one, two in zip(self.injected["presses"], self.read["presses"], strict=False):
            difference = (two[4] - one[4] / 1e6) % CLOCK
            found.append(difference - CLOCK if difference > CLOCK / 2 else difference)
        return found


def measure(display: str, reader: str, rate: int, seconds: float, fault: str | None) -> Round:
    """Run one reader against the injector."""
    with tempfile.TemporaryDirectory() as folder:
        injected, read = Path(folder) / "injected", Path(folder) / "read"
        part = (sys.executable, "-m", "bench.tapping")
        command = [*part, reader, display, "--log", str(read), *(("--break", fault) if fault else ())]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError(f"the reader {reader} did not start")
            pace = ("--rate", str(rate), "--seconds", str(seconds), "--seed", str(SEED))
            subprocess.run([*part, "inject", display, "--log", str(injected), *pace], check=True)
            process.communicate()
        return Round(json.loads(injected.read_text()), json.loads(read.read_text()))


def try_secrets(make: Callable[[], Gate], trials: int) -> tuple[int, int]:
    """Return how many trials leaked, and how many keys of secrets there were."""
    leaking = secrets = 0
    for seed in range(trials):
        leak, typed = leaks(make(), Random(seed))
        leaking, secrets = leaking + bool(leak), secrets + typed
    return leaking, secrets


class Careless(Gate):
    """Asks where the focus is at the key, and does not wait for what comes after."""

    def _is_moving(self, at: int) -> bool:
        return self._hold < at < 0


def check(rounds: dict[int, Round], fault: str | None, *, trials: int) -> tuple[list[str], dict[str, Any]]:
    """Return the checks that failed, and the figures of the gate."""
    failed = []
    for rate, one in rounds.items():
        if one.lost or one.wrong or one.read["unseen"]:
            failed.append(f"lost_{rate}")
        if one.read["withheld"]:
            failed.append(f"withheld_{rate}")
        if percentile([abs(error) for error in one.time_errors], 0.95) > TIME_ERROR_MS:
            failed.append(f"time_{rate}")
        if one.read["rss_mb"] > RSS_MB:
            failed.append(f"memory_{rate}")
    if PERSON in rounds and rounds[PERSON].cpu_percent > CPU_PERCENT:
        failed.append(f"cpu_{PERSON}")
    gates: dict[str | None, Callable[[], Gate]] = {"no-hold": lambda: Gate(0), "check-at-key-time": Careless}
    leaking, secrets = try_secrets(gates.get(fault, Gate), trials)
    naive, _ = try_secrets(Careless, trials)
    if leaking:
        failed.append("secrets")
    if not naive:
        failed.append("trials_prove_nothing")
    return failed, {"trials": trials, "secret_keys": secrets, "leaking": leaking, "naive_leaking": naive}


def rehearse(display: str) -> dict[str, list[str]]:
    """Return which checks catch each fault."""
    caught = {}
    for fault in FAULTS:
        rounds = {}
        if fault in _READER_FAULTS:
            rounds[5_000] = measure(display, "ours", 5_000, 0.5, fault)
        caught[fault] = check(rounds, fault, trials=300)[0]
    return caught


def main() -> int:
    """Run the bench and return its exit code."""
    parser = argparse.ArgumentParser(
        description="what capture loses and costs, and whether secrets stay back"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="stretch or shorten all rounds")
    parser.add_argument("--break", dest="fault", choices=FAULTS, help="build this fault in")
    options = parser.parse_args()
    reader_fault = options.fault if options.fault in _READER_FAULTS else None
    with tempfile.TemporaryDirectory() as folder, Desktop(Path(folder) / "desktop") as desktop:
        plan = [(reader, rate) for rate in RATES for reader in ("ours", "bare")]
        Random(SEED).shuffle(plan)
        found = {
            (reader, rate): measure(
                desktop.display, reader, rate, RATES[rate] * options.seconds, reader_fault
            )
            for reader, rate in plan
        }
        ours = {rate: found["ours", rate] for rate in RATES}
        failed, gate = check(ours, options.fault, trials=TRIALS)
        caught = {} if options.fault else rehearse(desktop.display)
    rates = {rate: _figures(ours[rate], found["bare", rate]) for rate in RATES}
    for rate, figures in rates.items():
        for name, value in figures.items():
            print(f"{name}_{rate} {value}")
    for name, value in gate.items():
        print(f"gate_{name} {value}")
    for fault, checks in caught.items():
        print(f"fault {fault} {'caught: ' + ', '.join(checks) if checks else 'NOT CAUGHT'}")
    for name in failed:
        print(f"failed {name}")
    evidence = {
        "samples": sum(one.injected["events"] for one in found.values()),
        "seed": SEED,
        "fault": options.fault,
        "faults": caught,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    print(
        json.dumps({"bench": "capture", "failed": failed, "rates": rates, "gate": gate, "evidence": evidence})
    )
    return 1 if failed or any(not checks for checks in caught.values()) else 0


def _order(one: Round) -> tuple[bool, float]:
    """Put a round that lost something first, so that repeating hides no loss, then the cheapest."""
    return not (one.lost or one.wrong), one.cpu_percent


def _figures(ours: Round, bare: Round) -> dict[str, float]:
    errors = [abs(error) for error in ours.time_errors]
    return {
        "achieved_per_second": round(ours.injected["rate"], 1),
        "events": ours.injected["events"],
        "lost": ours.lost,
        "wrong": ours.wrong,
        "cpu_percent": round(ours.cpu_percent, 2),
        "bare_cpu_percent": round(bare.cpu_percent, 2),
        "bare_lost": bare.lost,
        "rss_mb": round(ours.read["rss_mb"], 1),
        "delay_ms_p50": round(percentile(ours.delays, 0.5), 3),
        "delay_ms_p95": round(percentile(ours.delays, 0.95), 3),
        "time_error_ms_p50": round(percentile(errors, 0.5), 3),
        "time_error_ms_p95": round(percentile(errors, 0.95), 3),
    }


if __name__ == "__main__":
    sys.exit(main())
