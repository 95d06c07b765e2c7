"""No name in the product infers emotion, stress, engagement or productivity from a person.

Source: EU AI Act, article 5. Scanned are the names a feature would have: modules, classes, functions,
arguments, fields, and strings that are machine names (columns, tags, dictionary keys). Prose that says what
is refused may use any word.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.repository.checkout import ROOT, project_files, read, source_files

BANNED = re.compile(
    r"emotion|mood|sentiment|valence|arousal|stress|fatigue|tired|drows|burnout|bored|frustrat|anxi|morale|empath"
    r"|engage|attentive|motivat|diligen|productiv|effort|performancescore|performancerating|performancereview"
    r"|typingspeed|typingrate|typingrhythm|keystrokedynamic|keystrokerate|activeminutes|idleminutes|wpm$",
)
MACHINE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{2,63}")
DATA = frozenset({".cedar", ".cedarschema", ".json", ".sql", ".toml", ".js"})

ALLOWED: dict[str, frozenset[str]] = {}
"""Names that may stay, by file, because they *refuse* what they name. Each needs its reason beside it."""


def words(name: str) -> str:
    """Return a name without what joins its words, so that every spelling of it looks the same."""
    return re.sub(r"[^a-z]", "", name.lower())


def names(tree: ast.AST) -> Iterator[str]:
    """Yield every identifier a module defines, and every string in it that looks like one."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case ast.Constant(value=str(text)) if MACHINE_NAME.fullmatch(text):
                yield text
            case _:
                pass


def banned(candidates: Iterator[str], path: Path) -> set[str]:
    """Return the names that suggest an inference about a person and are not allowed in ``path``."""
    return {name for name in candidates if BANNED.search(words(name))} - ALLOWED.get(str(path), frozenset())


def test_no_name_in_the_product_suggests_an_inference_about_a_person() -> None:
    found = {str(path): banned(names(ast.parse(read(path))), path) for path in source_files("src")}
    assert {path: hits for path, hits in found.items() if hits} == {}


def test_no_module_is_named_after_one() -> None:
    assert banned((str(path.with_suffix("")) for path in source_files("src")), Path()) == set()


def test_no_schema_or_policy_names_one() -> None:
    data = [path for path in project_files() if path.parts[0] == "src" and path.suffix in DATA]
    found = {str(path): banned(iter(MACHINE_NAME.findall(read(path))), path) for path in data}
    assert {path: hits for path, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    "source",
    [
        "class Features:\n    stress_score: float",
        "def engagementLevel(events: list[int]) -> float: ...",
        "COLUMNS = ['act', 'typing_speed']",
        "row = {'mood': 1}",
        "def rate(*, productivity: float) -> None: ...",
        "self.activeMinutes = 3",
        "features(emotion_id=4)",
        "class Tag:\n    A = 'participant:keystroke-dynamics'",
    ],
)
def test_a_banned_feature_would_be_found(source: str) -> None:
    assert banned(names(ast.parse(source)), Path())


def test_a_sentence_may_say_what_is_refused() -> None:
    source = '"""Emotion and productivity are refused."""\nREASON = "inferring stress is not a purpose"'
    assert banned(names(ast.parse(source)), Path()) == set()


def test_the_list_of_exceptions_names_files_that_exist() -> None:
    assert [path for path in ALLOWED if not (ROOT / path).is_file()] == []
