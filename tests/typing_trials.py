"""People who type secrets, and a program that hears of it late: simulated, to see what a gate lets through.

Rules

* The person moves between fields (plain, secure, unknown ones), by Tab or by click, and types right away, as
  fast as a millisecond a key. The truth is kept: which key went into which field.
* The program hears of the focus up to ``MAX_LATENESS_MS`` after it moved, in order, stamped when it hears it.
  It may stand still for half a second. Sources are read in any order, all of them before the release; it
  may stand still between the two as well.
* A trial leaks if a key of text that went into a field for a secret comes out, its press or its release, if
  any key comes out inside a span, or if a mark says how many there were.

Example: ``leaks(Gate(), Random(1))`` is how often one trial leaked, and how many keys of secrets it had.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple

from understudy.formats.raw.events import KeyPress, KeyRelease, Lost, SecureBegin, SecureEnd
from understudy.recorder.capture.gate import Timed
from understudy.recorder.capture.observed import Focused, Security

MAX_LATENESS_MS: Final = 140
TAB: Final = 0xFF09
SECRET_BASE: Final = 0x01002800
"""Secrets are typed in Braille patterns: no plain field ever holds one."""
PLAIN_BASE: Final = 0x61


class Heard(NamedTuple):
    """Something that happened, and when a program can hear of it."""

    at: int
    heard: int
    item: Timed


class Script(NamedTuple):
    """What a person did, in true order, and how many keys of secrets were in it."""

    keys: list[Heard]
    focus: list[Heard]
    secrets: int


def write_script(random: Random, moves: int = 6) -> Script:
    """Return what one person did."""
    keys: list[Heard] = []
    focus: list[Heard] = []
    now, heard, secrets = 1_000, 1_000, 0
    lateness = random.choice((0, 5, 40, MAX_LATENESS_MS))
    for _ in range(moves):
        field = random.choice((Security.PLAIN, Security.SECURE, Security.SECURE, Security.UNKNOWN))
        if random.random() < 0.7:
            keys += stroke(now, TAB, random, keycode=23)
        now += random.choice((0, 0, 1, 3))
        heard = max(heard, now + random.randint(0, lateness))
        focus.append(Heard(now, heard, Focused(time=0, security=field)))
        now += random.choice((0, 0, 0, 1, 20, 200))
        for _ in range(random.randint(0, 6)):
            secret = field is Security.SECURE
            secrets += secret
            base = SECRET_BASE if secret else PLAIN_BASE
            number = random.randint(0, 25)
            keys += stroke(now, base + number, random, keycode=40 + number)
            now += random.choice((0, 1, 5, 30, 90, 160))
        now += random.choice((0, 0, 1, 40, 149, 151, 400))
    return Script(sorted(keys, key=lambda key: key.at), focus, secrets)


def stroke(at: int, keysym: int, random: Random, keycode: int) -> list[Heard]:
    """Return a press and its release, heard soon."""
    up = at + random.choice((0, 1, 40, 90, 300))
    return [
        Heard(at, at + random.choice((0, 0, 3)), KeyPress(time=at, keycode=keycode, keysym=keysym)),
        Heard(up, up + random.choice((0, 0, 3)), KeyRelease(time=up, keycode=keycode, keysym=keysym)),
    ]


def run(gate: Any, script: Script, random: Random, *, can_stall: bool = True) -> list[Timed]:
    """Return what a gate let through of a script, in a program that may stand still."""
    out: list[Timed] = []
    keys, focus = list(script.keys), list(script.focus)
    now = 900
    end = max([one.heard for one in keys + focus], default=now) + 600
    while now < end:
        stall = random.choice((160, 300, 500)) if can_stall and random.random() < 0.02 else 0
        now += random.choice((1, 10, 25, 40)) + stall
        sources: list[Callable[[], None]] = [
            partial(_read, keys, now, gate, stamp=False),
            partial(_read, focus, now, gate, stamp=True),
        ]
        random.shuffle(sources)
        for source in sources:
            source()
        if can_stall and random.random() < 0.02:
            now += 300
        out += gate.release(now)
    return [*out, *gate.drain()]


def _read(source: list[Heard], now: int, gate: Any, *, stamp: bool) -> None:
    while source and source[0].heard <= now:
        item: Any = source.pop(0).item
        if stamp:
            gate.push(Focused(time=now, security=item.security))
        else:
            late = min(now - item.time, 255)
            kind = type(item)
            gate.push(kind(time=item.time, keycode=item.keycode, keysym=item.keysym, late=late))


def leaked(out: list[Timed]) -> int:
    """Return how many presses and releases of secret keys are in what came out, or stand inside a span."""
    found, is_open = 0, False
    for item in out:
        if isinstance(item, SecureBegin | SecureEnd):
            found += is_open == isinstance(item, SecureBegin)
            is_open = isinstance(item, SecureBegin)
        elif isinstance(item, KeyPress | KeyRelease):
            found += is_open or item.keysym >= SECRET_BASE
        elif isinstance(item, Lost):
            found += item.count
    return found + is_open


def leaks(gate: Any, random: Random, *, can_stall: bool = True) -> tuple[int, int]:
    """Return how much one trial leaked, and how many keys of secrets it had."""
    script = write_script(random)
    return leaked(run(gate, script, random, can_stall=can_stall)), script.secrets
