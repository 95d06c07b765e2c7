"""Hands and ears for ``bench/capture.py``: one process injects input by XTEST, another one reads it.

    python -m bench.tapping inject :7 --rate 1000 --seconds 4 --log FILE
    python -m bench.tapping ours :7 --log FILE
    python -m bench.tapping bare :7 --log FILE

Rules

* Of ten events eight are motion, each to another place, two a key going down and up, and every now and then a
  button instead, with a motion between the two. Each is flushed by itself and its time noted just before.
* A reader says ``ready``, reads until its standard input ends, and writes what it saw and what that cost it.
* ``bare`` is the least that one can do: the same events counted, nothing made of them, nobody asked anything.
"""

import argparse
import json
import resource
import select
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

import xcffib
import xcffib.xinput
import xcffib.xtest

from understudy.formats.raw.events import ButtonPress, ButtonRelease, KeyPress, KeyRelease
from understudy.recorder.capture.gate import Gate
from understudy.recorder.capture.observed import Focused, Security, server_ms
from understudy.recorder.capture.x11.display import GENERIC_EVENT, Display
from understudy.recorder.capture.x11.input import X11Input

TICK_SECONDS: Final = 0.04
SETTLE_TICKS: Final = 8
"""Until everything has passed the gate."""
KEYS: Final = tuple(range(38, 48))
_RAW: Final = (13, 14, 15, 16, 17)
_MOTION: Final = 17
_DOWN: Final = {KeyPress: 2, KeyRelease: 3, ButtonPress: 4, ButtonRelease: 5}
_DROPPED: Final = 50


def inject(display: str, rate: float, seconds: float, seed: int) -> dict[str, Any]:
    """Inject at a rate and return what was injected when."""
    connect: Any = xcffib.connect
    connection = connect(display=display)
    test = connection(xcffib.xtest.key)
    test.GetVersion(2, 2).reply()
    root = connection.setup.roots[0].root
    random, presses, motions = Random(seed), [], 0
    place, count = (0, 0), int(rate * seconds)
    began = time.monotonic()
    for number in range(count):
        due = began + number / rate
        while (left := due - time.monotonic()) > 0:
            time.sleep(left)
        step = number % 10
        if step in {4, 6}:
            is_button, is_up = number // 10 % 20 == 0, step == 6  # noqa: PLR2004 - a place in the ten
            kind = (4 if is_button else 2) + is_up
            code = 1 if is_button else KEYS[number // 10 % len(KEYS)]
            presses.append((kind, code, *place, time.monotonic_ns()))
            test.FakeInput(kind, code, 0, root, 0, 0, 0)
        else:
            place = number % 1_000, (number // 1_000 * 7 + random.randrange(7)) % 700
            motions += 1
            test.FakeInput(6, 0, 0, root, *place, 0)
        connection.flush()
    took = time.monotonic() - began
    connection.core.QueryPointer(root).reply()
    return {"presses": presses, "motions": motions, "place": place, "rate": count / took, "events": count}


def listen(display: str, fault: str | None) -> dict[str, Any]:
    """Read with the recorder's own reader and the gate behind it."""
    if fault == "drop-motion":
        patch.object(Display, "poll", _forgetful(Display.poll)).start()
    presses: list[tuple[int, int, int, int, int, int]] = []
    with X11Input(display, with_record=fault != "no-record") as source:
        gate = Gate()
        gate.push(Focused(time=server_ms(), security=Security.PLAIN))
        place = (0, 0)
        pushed = passed = 0

        def take() -> None:
            nonlocal place, pushed
            for event in source.read():
                gate.push(event)
                pushed += 1
                arrived = time.monotonic_ns()
                if isinstance(event, KeyPress | KeyRelease):
                    presses.append((_DOWN[type(event)], event.keycode, -1, -1, event.time, arrived))
                elif isinstance(event, ButtonPress | ButtonRelease):
                    place = event.x, event.y
                    presses.append((_DOWN[type(event)], event.button, *place, event.time, arrived))
                else:
                    place = event.x, event.y  # type: ignore[union-attr]

        def tick() -> None:
            nonlocal passed
            take()
            passed += len(gate.release(server_ms()))

        used = _until_told(source.fileno(), take, tick)
        return {
            **used,
            "presses": presses,
            "motions": source.seen.motions,
            "place": place,
            "unseen": source.lost,
            "withheld": pushed - passed - len(gate.drain()),
        }


def count(display: str) -> dict[str, Any]:
    """Read with a loop that does nothing but count."""
    with Display(display) as source:
        key: Any = xcffib.xinput.key
        wanted = sum(1 << kind for kind in _RAW)
        requests = source.extension(key)
        requests.XIQueryVersion(2, 2).reply()
        requests.XISelectEventsChecked(source.root, 1, [struct.pack("=HHI", 1, 1, wanted)]).check()
        seen = {"motions": 0, "events": 0}

        def take() -> None:
            while (row := source.poll()) is not None:
                if row[0] & 0x7F == GENERIC_EVENT:
                    seen["events"] += 1
                    seen["motions"] += row[8] == _MOTION

        return {**_until_told(source.fileno(), take, take), **seen}


def _until_told(source: int, take: Callable[[], None], tick: Callable[[], None]) -> dict[str, float]:
    """Take what comes until the standard input ends; return seconds of processor and wall, and megabytes."""
    print("ready", flush=True)
    began, before = time.monotonic(), time.process_time()
    next_tick = began + TICK_SECONDS
    while True:
        readable = select.select([source, sys.stdin], [], [], max(next_tick - time.monotonic(), 0))[0]
        if source in readable:
            take()
        if time.monotonic() >= next_tick:
            tick()
            next_tick = time.monotonic() + TICK_SECONDS
        if sys.stdin in readable:
            break
    for _ in range(SETTLE_TICKS):
        time.sleep(TICK_SECONDS)
        tick()
    used = {"cpu": time.process_time() - before, "wall": time.monotonic() - began}
    return {**used, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024}


def _forgetful(real: Callable[[Display], bytes | None]) -> Callable[[Display], bytes | None]:
    """Return a poll that forgets every fiftieth motion."""
    motions = 0

    def poll(display: Display) -> bytes | None:
        nonlocal motions
        row = real(display)
        if row is not None and row[0] & 0x7F == GENERIC_EVENT and row[8] == _MOTION:
            motions += 1
            if motions % _DROPPED == 0:
                return poll(display)
        return row

    return poll


def main() -> None:
    """Play one part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("inject", "ours", "bare"))
    parser.add_argument("display")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--break", dest="fault")
    options = parser.parse_args()
    if options.part == "inject":
        result = inject(options.display, options.rate, options.seconds, options.seed)
    elif options.part == "ours":
        result = listen(options.display, options.fault)
    else:
        result = count(options.display)
    options.log.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
