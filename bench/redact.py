"""Redaction: how fast, how much of what was planted is found, how much that is ordinary is touched.

    make bench-redact                                        figures, checks, seeded faults
    make bench-redact BENCH_ARGS="--break no-checks"         with that fault built in: must exit 1

Rules

* The peer runs in the same process, on the same strings, interleaved in random order: Presidio without its
  language model where it is installed, and always Python's ``re`` with the same expressions, one by one.
* Recall is measured on sentences and forms made from templates with this file's own seed. They are ours:
  a figure says that nothing was lost since the last one, not what real screens give.
* False fires are counted on interface texts of the MiniWoB++ pages and on lines of the standard library.
* Each seeded fault is patched in here, and at least one bar must fail. The last line is JSON.
"""

import argparse
import contextlib
import functools
import gc
import importlib.util
import json
import re
import statistics
import sys
import sysconfig
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Final, Protocol
from unittest.mock import patch

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.redaction import cleaning, detection, entities
from understudy.redaction.checks import kept_length
from understudy.redaction.cleaning import Cleaner
from understudy.redaction.detection import Detector, detector
from understudy.redaction.entities import Entities
from understudy.redaction.folding import SQUEEZED, View
from understudy.redaction.kinds import ALL_LAYERS, EntityClass
from understudy.redaction.patterns import SPOKEN, TOKENS
from understudy.redaction.pixels import masked
from understudy.redaction.redactor import Redactor

SEED: Final = 20_240_613
CASES: Final = 60
STRINGS: Final = 1_000
LINES: Final = 3_000
KEY: Final = bytes(range(32))

BARS: Final = {
    "recall": 0.99,
    "propagated": 1.0,
    "ui_changed": 0.03,
    "code_fired": 0.01,
    "gate_median_us": 5.0,
    "clean_median_us": 10.0,
    "mask_median_ms": 5.0,
}
"""What must hold: recalls at least, everything else at most."""


# What is planted


class Case(Protocol):
    """Makes one entity from dice."""

    def __call__(self, dice: Random) -> str:
        """Return the entity."""
        ...


def _digits(dice: Random, count: int) -> str:
    return "".join(dice.choice("0123456789") for _ in range(count))


def _word(dice: Random) -> str:
    return "".join(
        dice.choice(pair) for pair in ("bdfgklmnprstv", "aeiou", "lmnrst", "aeiou", "lnrs")
    ).title()


def _card(dice: Random) -> str:
    body = "4" + _digits(dice, 14)
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(body))
    total = sum(sum(divmod(value, 10)) for value in doubled)
    return re.sub(r"(.{4})(?=.)", r"\1 ", body + str(-total % 10))


def _iban(dice: Random) -> str:
    account = _digits(dice, 18)
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02}{account}"


MAKERS: Final[dict[EntityClass, Case]] = {
    EntityClass.EMAIL: lambda dice: f"{_word(dice)}.{_word(dice)}@{_word(dice)}-post.org".lower(),
    EntityClass.PHONE: lambda dice: f"+49 30 {2 + dice.randrange(7)}{_digits(dice, 6)}",
    EntityClass.IBAN: _iban,
    EntityClass.CARD: _card,
    EntityClass.IP: lambda dice: (
        f"{dice.randrange(11, 99)}.{dice.randrange(1, 254)}.{dice.randrange(1, 254)}.7"
    ),
    EntityClass.IDENTITY: lambda dice: (
        f"{dice.randrange(101, 665)}-{dice.randrange(10, 99)}-{1 + dice.randrange(8)}{_digits(dice, 3)}"
    ),
    EntityClass.URL: lambda dice: f"https://{_word(dice).lower()}.org/orders/{_digits(dice, 6)}",
    EntityClass.TOKEN: lambda dice: "ghp_" + "".join(dice.choice("abcXYZ0189") for _ in range(36)),
    EntityClass.USERNAME: lambda dice: f"/home/{_word(dice).lower()}{_digits(dice, 2)}/letter.txt",
}
"""Classes that have a shape."""
FRAMES: Final = (
    "{}",
    "Please use {} from now on.",
    "({})",
    "see: {}; thanks",
    "Bitte an {} schicken",
    "value={} end",
)

SAID: Final[dict[EntityClass, tuple[str, ...]]] = {
    EntityClass.PASSWORD: ("password: {}", 'and the password "{}" into', "Das Passwort ist {}"),
    EntityClass.NAME: (
        "Customer: {}",
        "Dear {},",
        "Signed in as {}",
        "Sehr geehrte Frau {},",
        "Ansprechpartner: {}",
    ),
    EntityClass.BIRTH_DATE: ("Date of birth: {}", "geboren am {}", "DOB {}"),
    EntityClass.PIN: ("PIN: {}", "the PIN is {}"),
    EntityClass.ONE_TIME_CODE: ("Verification code: {}", "{} is your login code"),
    EntityClass.CARD_CODE: ("CVV {}", "CVC: {}"),
    EntityClass.ACCOUNT: ("Account number: {}", "Kontonummer {}"),
    EntityClass.EMPLOYEE: ("Employee ID: {}", "Personalnummer {}"),
    EntityClass.SALARY: ("Salary: {} EUR", "Gehalt: {} EUR"),
    EntityClass.ADDRESS: ("Street: {}", "Anschrift: {}"),
    EntityClass.HEALTH: ("Diagnosis: {}", "Befund: {}"),
}
"""Classes that are told by what is said beside them."""
_SAID_MAKERS: Final[dict[EntityClass, Case]] = {
    EntityClass.PASSWORD: lambda dice: f"{_word(dice)}{_digits(dice, 2)}!x",
    EntityClass.NAME: lambda dice: f"{_word(dice)} {_word(dice)}",
    EntityClass.BIRTH_DATE: lambda dice: (
        f"{dice.randrange(10, 28)}.{dice.randrange(10, 12)}.19{dice.randrange(40, 99)}"
    ),
    EntityClass.PIN: lambda dice: _digits(dice, 4),
    EntityClass.ONE_TIME_CODE: lambda dice: _digits(dice, 6),
    EntityClass.CARD_CODE: lambda dice: _digits(dice, 3),
    EntityClass.ACCOUNT: lambda dice: _digits(dice, 9),
    EntityClass.EMPLOYEE: lambda dice: f"E-{_digits(dice, 6)}",
    EntityClass.SALARY: lambda dice: f"{dice.randrange(20, 99)},{_digits(dice, 3)}",
    EntityClass.ADDRESS: lambda dice: f"{_word(dice)} Court {dice.randrange(10, 99)}",
    EntityClass.HEALTH: lambda dice: f"broken {_word(dice).lower()}",
}


def planted(rng: Random) -> Iterator[tuple[EntityClass, str, str]]:
    """Yield (class, entity, text that holds it)."""
    for kind, make in MAKERS.items():
        for number in range(CASES):
            entity = make(rng)
            yield kind, entity, FRAMES[number % len(FRAMES)].format(entity)
    for kind, frames in SAID.items():
        for number in range(CASES):
            entity = _SAID_MAKERS[kind](rng)
            yield kind, entity, frames[number % len(frames)].format(entity)


def recalls(rng: Random) -> dict[str, float]:
    """Return, for each class, how many of the planted entities are gone from their text."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for kind, entity, text in planted(rng):
        personal = entity.split("/")[2] if kind is EntityClass.USERNAME else entity
        hits[kind.value].append(
            SQUEEZED.of(personal) not in SQUEEZED.of(Cleaner(KEY, ALL_LAYERS).clean(text).text)
        )
    return {kind: round(statistics.mean(found), 4) for kind, found in sorted(hits.items())}


def propagated(rng: Random) -> float:
    """Return how many entities, found once, are gone from every other text, disguised or not."""
    gone = []
    for make in (*MAKERS.values(), *_SAID_MAKERS.values()):
        for _ in range(CASES // 4):
            entity = make(rng)
            cleaner = Cleaner(KEY, ALL_LAYERS)
            cleaner.entities.add(entity, EntityClass.NAME)
            for text in (
                f"a {entity} b",
                entity.upper(),
                "\u200b".join(entity),
                f"id-{entity.lower()}-row",
                entity.replace(" ", "  "),
            ):
                left = SQUEEZED.of(cleaner.clean(text).text)
                gone.append(SQUEEZED.of(entity) not in left or len(SQUEEZED.of(entity)) < entities.MIN_INSIDE)
    return statistics.mean(gone)


# What is ordinary


class Texts(HTMLParser):
    """Collects what a page shows: text, and attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take shown attributes."""
        self._hidden += tag in {"script", "style"}
        shown = {"placeholder", "value", "title", "alt", "aria-label", "label"}
        self.found |= {value for name, value in attrs if name in shown and value}

    def handle_endtag(self, tag: str) -> None:
        """Leave scripts and styles."""
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        """Take text."""
        if not self._hidden and data.strip():
            self.found.add(" ".join(data.split()))


def interface_texts() -> list[str]:
    """Return the texts of the MiniWoB++ pages; nothing where the package is not installed."""
    spec = importlib.util.find_spec("miniwob")
    if spec is None or spec.origin is None:
        return []
    texts = Texts()
    for page in sorted((Path(spec.origin).parent / "html").rglob("*.html")):
        texts.feed(page.read_text(errors="ignore"))
    return sorted(text for text in texts.found if any(map(str.isalpha, text)))


def program_lines(rng: Random) -> list[str]:
    """Return lines of the standard library."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    texts = (path.read_text(errors="ignore") for path in sorted(folder.glob("*.py")))
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return rng.sample([line for line in lines if len(line) > len("return None")], LINES)


def changed(texts: Sequence[str]) -> float:
    """Return the share of texts that do not come out as they went in."""
    if not texts:
        return 0.0
    return sum(Cleaner(KEY, ALL_LAYERS).clean(text).text != text for text in texts) / len(texts)


# Figures


def timed(
    calls: dict[str, Callable[[str], object]], texts: Sequence[str], rng: Random
) -> dict[str, list[float]]:
    """Return microseconds a string of each call, interleaved in random order."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    jobs = [(name, text) for name in calls for text in texts]
    rng.shuffle(jobs)
    for name, text in jobs:
        call = calls[name]
        began = time.perf_counter()
        call(text)
        taken[name].append((time.perf_counter() - began) * 1e6)
    return taken


def uncached(cleaner: Cleaner) -> Callable[[str], object]:
    """Return what cleans a text that was not seen before."""
    return lambda text: cleaner._clean(text, attribute=False)  # noqa: SLF001 - without what is kept by text


def peers() -> dict[str, Callable[[str], object]]:
    """Return what others would run: Python's ``re`` one by one, and Presidio where it is there."""
    compiled = [re.compile(_for_python(pattern.expression)) for pattern in (*TOKENS, *SPOKEN)]
    found: dict[str, Callable[[str], object]] = {
        "python_re": lambda text: [one.search(text) for one in compiled]
    }
    if importlib.util.find_spec("presidio_analyzer") is not None:
        found |= _presidio()
    return found


def _presidio() -> dict[str, Callable[[str], object]]:
    analyzer = importlib.import_module("presidio_analyzer")
    nlp = importlib.import_module("presidio_analyzer.nlp_engine")
    engine = analyzer.AnalyzerEngine(
        nlp_engine=nlp.NlpEngineProvider().create_engine(), supported_languages=["en"]
    )
    return {"presidio": lambda text: engine.analyze(text, language="en")}


_SPELLED: Final = {
    r"[\pL\pN]": r"[^\W_]",
    r"[^\pL]": r"[\W\d_]",
    r"\p{Lu}": "[A-ZÄÖÜ]",
    r"\pL": "a-zA-ZäöüÄÖÜß",
    r"\pN": "0-9",
    r"\pM": "\u0300-\u036f",
}


def _for_python(expression: str) -> str:
    """Return an expression of RE2 as Python's ``re`` reads it: classes of letters are spelled otherwise."""
    flags = "".join(sorted(set("".join(re.findall(r"^\(\?([is]+)\)", expression)))))
    body = re.sub(r"^\(\?[is]+\)", "", expression)
    for theirs, ours in _SPELLED.items():
        body = body.replace(theirs, ours)
    body = re.sub(r"(?<!\[)(?<![\w-])(a-zA-ZäöüÄÖÜß)(?![^\[]*\])", r"[\1]", body)
    return f"(?{flags}){body}" if flags else body


def page(rng: Random) -> tuple[PlacedPicture, ElementTree]:
    """Return a frame of 500 x 400 and a tree of 100 elements."""
    states = (ElementState.SHOWING,)
    root = Element(role=Role.DOCUMENT, states=states, box=Box(0, 0, 500, 400))
    leaves = (
        Element(
            role=Role.TEXT,
            name=f"text {n}",
            states=states,
            parent=0,
            box=Box(n % 5 * 98, n // 5 * 19, 90, 16),
        )
        for n in range(100)
    )
    picture = Picture(width=500, height=400, rgb=rng.randbytes(500 * 400 * 3))
    return PlacedPicture(x=0, y=0, picture=picture), ElementTree(elements=(root, *leaves))


def masking(rng: Random, rounds: int) -> float:
    """Return milliseconds of masking one frame, the median."""
    frame, tree = page(rng)
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        masked(frame, [(tree, frozenset({4, 50, 77}))])
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


# Bars and faults


def measure(rng: Random) -> dict[str, float]:
    """Return every figure that has a bar, except speed."""
    recall = recalls(rng)
    figures = {f"recall/{kind}": value for kind, value in recall.items()}
    figures["recall"] = round(statistics.mean(recall.values()), 4)
    figures["propagated"] = propagated(rng)
    figures["ui_changed"] = round(changed(interface_texts()), 4)
    figures["code_fired"] = round(changed(program_lines(rng)), 4)
    return figures


def failures(figures: dict[str, float]) -> list[str]:
    """Return the bars that do not hold."""
    failed = []
    for name, value in figures.items():
        bar = BARS.get(name.split("/")[0])
        if bar is not None and (value < bar if name.startswith(("recall", "propagated")) else value > bar):
            failed.append(name)
    return sorted(failed)


@functools.cache
def halved() -> Detector:
    """Return a detector that lacks every third pattern."""
    return Detector(tuple(pattern for number, pattern in enumerate(TOKENS + SPOKEN) if number % 3))


FAULTS: Final[dict[str, Callable[[], AbstractContextManager[object]]]] = {
    "no-checks": lambda: patch.object(detection, "kept_length", lambda _, hit: len(hit)),
    "a-third-of-the-patterns-gone": lambda: patch.object(cleaning, "detector", halved),
    "gate-answers-nothing": lambda: patch.object(Detector, "hits", lambda *_, **__: ()),
    "entities-not-searched": lambda: patch.object(Entities, "find", lambda *_: []),
    "case-sensitive": lambda: patch.multiple(entities, SQUEEZED=View(str), BARE=View(str)),
    "everything-is-random": lambda: patch.object(detection, "kept_length", _all_random),
}


def _all_random(check: str, hit: str) -> int:
    return len(hit) if check == "random" else _kept_length(check, hit)


_kept_length = kept_length


def main() -> int:
    """Run the bench and return its exit code."""
    parser = argparse.ArgumentParser(
        description="how fast redaction is, what it finds, and what it leaves alone"
    )
    parser.add_argument("--rounds", type=int, default=60, help="rounds of masking a frame")
    parser.add_argument("--break", dest="fault", choices=sorted(FAULTS), help="build this fault in")
    options = parser.parse_args()

    with FAULTS[options.fault]() if options.fault else contextlib.nullcontext():
        figures = measure(Random(SEED))
    failed = failures(figures)
    if options.fault:
        print(json.dumps({"bench": "redact", "fault": options.fault, "failed": failed}))
        return 1 if failed else 3  # 3: a fault that nothing noticed

    for name, value in figures.items():
        print(f"  {name:28} {value:8.4f}")
    caught = {}
    for fault, build in FAULTS.items():
        with build():
            caught[fault] = failures(measure(Random(SEED)))
    unnoticed = sorted(fault for fault, by in caught.items() if not by)
    print(f"seeded faults: {len(FAULTS) - len(unnoticed)} of {len(FAULTS)} caught")

    rng = Random(SEED)
    gc.disable()
    ordinary = (interface_texts() + program_lines(rng))[:STRINGS]
    busy = [text for _, _, text in planted(rng)][:STRINGS]
    cleaner = Cleaner(KEY, ALL_LAYERS)
    for number in range(50):
        cleaner.entities.add(f"{_word(rng)}ov {_word(rng)}stone{number}", EntityClass.NAME)
    learned = Cleaner(KEY, ALL_LAYERS)
    for text in busy:
        learned.take_in(text)
    for text in (*ordinary, *busy):  # entities that are new are looked for one by one at first
        cleaner.entities.find(text)
        learned.entities.find(text)
    others = peers()
    quiet = [text for text in ordinary if not detector().hits(text)]
    speeds = {
        kind: timed({"gate": detector().hits, "clean": uncached(by), **others}, texts, rng)
        for kind, by, texts in (("quiet", cleaner, quiet), ("hits", learned, busy))
    }
    for text in quiet:
        cleaner.clean(text)
    kept = timed({"kept": cleaner.clean}, quiet, rng)["kept"]
    microseconds = {
        kind: {
            name: {"median": round(statistics.median(taken), 2), "p95": round(quantile(taken, 0.95), 2)}
            for name, taken in by.items()
        }
        for kind, by in speeds.items()
    }
    for kind, by in microseconds.items():
        print(f"\nmicroseconds a string, {kind}")
        for name, speed in by.items():
            print(f"  {name:12} median {speed['median']:9.2f}   95 % {speed['p95']:9.2f}")
    figures["gate_median_us"] = microseconds["quiet"]["gate"]["median"]
    figures["clean_median_us"] = microseconds["quiet"]["clean"]["median"]
    figures["kept_median_us"] = round(statistics.median(kept), 2)
    figures["mask_median_ms"] = round(masking(rng, options.rounds), 3)
    failed = failures(figures)
    by_name = microseconds["quiet"]
    ratio = round(by_name["python_re"]["median"] / by_name["clean"]["median"], 1)
    result = {
        "bench": "redact",
        "figures": figures,
        "microseconds": microseconds,
        "ratio_to_python_re": ratio,
        "failed": failed,
        "evidence": {
            "samples": {
                "cases": CASES * (len(MAKERS) + len(SAID)),
                "interface": len(interface_texts()),
                "lines": LINES,
                "quiet": len(quiet),
            },
            "seeds": [SEED],
            "peers": sorted(others),
            "rules": Redactor(KEY).stamp.rules,
            "seeded_faults": caught,
            "unnoticed": unnoticed,
        },
    }
    print(json.dumps(result))
    return 1 if unnoticed or failed else 0


if __name__ == "__main__":
    sys.exit(main())
