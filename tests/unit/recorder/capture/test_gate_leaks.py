"""Ten thousand people type secrets while the program hears of it late: nothing of a secret comes out."""

import functools
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.typing_trials import SECRET_BASE, leaked, leaks, run, write_script
from understudy.formats.raw.events import KeyPress, KeyRelease, Lost
from understudy.recorder.capture.gate import TURN_MS, Gate, Timed
from understudy.recorder.capture.observed import Focused, Security

TRIALS = 10_000
FAULT_TRIALS = 2_000


class NaiveGate:
    """Asks once, at the moment of the key: is the focus on a field for a secret now?"""

    def __init__(self) -> None:
        self._focus = Security.UNKNOWN
        self._out: list[Timed] = []

    def push(self, item: Timed) -> None:
        if isinstance(item, Focused):
            self._focus = item.security
        elif self._focus is Security.PLAIN:
            self._out.append(item)

    def release(self, now_ms: int) -> list[Timed]:  # noqa: ARG002 - the gate's own signature
        out, self._out = self._out, []
        return out

    def drain(self) -> list[Timed]:
        return self.release(0)


class CheckAtKeyTime(Gate):
    def _is_moving(self, at: int) -> bool:  # noqa: ARG002 - the gate's own signature
        return False


class HeardIsHappened(Gate):
    """Takes a change for having happened when it was heard of."""

    def push(self, item: Timed) -> None:
        known, self._call_before = self._call_before, item.time
        super().push(item)
        self._call_before = known


class Hasty(Gate):
    """Takes it for granted that every source has been read up to now."""

    def release(self, now_ms: int) -> list[Timed]:
        self._call = now_ms
        return super().release(now_ms + TURN_MS)


class LooseReleases(Gate):
    def _release_key(self, at: int, key: KeyRelease) -> None:  # noqa: ARG002 - the gate's own signature
        self._out.append(key)


class Counting(Gate):
    def _tell_gap(self, at: int) -> None:
        self._out.append(Lost(time=at % 2**32, count=1))


class Unsorted(Gate):
    """Lets items go in the order of arrival."""

    def push(self, item: Timed) -> None:
        super().push(item)
        self._held.sort(key=lambda held: held.number)

    def release(self, now_ms: int) -> list[Timed]:
        self._held.sort(key=lambda held: held.number)
        while self._held and self._held[0].at < now_ms - self._hold:
            self._let(self._held.pop(0), is_over=True)
        return self._take()


FAULTS: dict[str, Callable[[], Any]] = {
    "naive": NaiveGate,
    "no-hold": functools.partial(Gate, 0),
    "short-hold": functools.partial(Gate, 75),
    "check-at-key-time": CheckAtKeyTime,
    "heard-is-happened": HeardIsHappened,
    "hasty": Hasty,
    "loose-releases": LooseReleases,
    "counting": Counting,
    "unsorted": Unsorted,
}


def test_no_key_of_a_secret_comes_out_of_ten_thousand_trials() -> None:
    found = secrets = 0
    for seed in range(TRIALS):
        leak, typed = leaks(Gate(), Random(seed))
        found, secrets = found + leak, secrets + typed
    assert found == 0
    assert secrets > TRIALS, "the trials typed too few secrets to prove anything"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_trials_catch_each_fault(fault: str) -> None:
    assert any(leaks(FAULTS[fault](), Random(seed))[0] for seed in range(FAULT_TRIALS))


def test_what_is_plain_is_not_all_dropped() -> None:
    """A gate that drops everything would pass every trial above."""
    typed = passed = 0
    for seed in range(500):
        random = Random(seed)
        script = write_script(random)
        typed += sum(isinstance(key.item, KeyPress) and 0x61 <= key.item.keysym < 0x80 for key in script.keys)
        out = run(Gate(), script, random, can_stall=False)
        passed += sum(isinstance(item, KeyPress) and 0x61 <= item.keysym < 0x80 for item in out)
    assert passed > typed / 5, (
        "these people hop all the time; still a fifth of what they type is plain for long"
    )


def test_a_leak_is_seen_when_there_is_one() -> None:
    secret = KeyRelease(time=5, keycode=9, keysym=SECRET_BASE + 1)
    assert leaked([secret]) == 1
    assert leaked([Lost(time=1, count=3)]) == 3
