"""Every documented code is produced, by a committed file and by the forge, and nothing else is."""

import io
import json
import re
from pathlib import Path

import pytest

from tests.unit.formats.describe import describe_recording
from tests.unit.formats.forge import CASES, with_parts
from understudy.formats.recording import bounds
from understudy.formats.recording.actions import ACTS, NAMED_KEYS, Mark, Modifier
from understudy.formats.recording.check import check
from understudy.formats.recording.errors import Code
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.vocabulary import ElementState, Role
from understudy.sealing.errors import SealError

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats" / "recording.md").read_text(encoding="utf-8")
VECTORS = ROOT / "tests" / "vectors" / "formats" / "recording"


class Unreadable(io.BytesIO):
    """A decryptor whose chunks do not open."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise SealError("a chunk does not open")


def section(title: str) -> str:
    """Return the text of one section of the page."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_a_small_valid_file_has_no_problems() -> None:
    assert check(io.BytesIO(with_parts())).problems == ()


@pytest.mark.parametrize("code", CASES, ids=str)
def test_each_broken_rule_is_reported_by_its_code_and_alone(code: Code) -> None:
    assert check(io.BytesIO(CASES[code]())).codes == {code}


def test_a_file_that_cannot_be_read_is_reported_not_raised() -> None:
    assert check(Unreadable(with_parts())).codes == {Code.UNREADABLE}
    closed = io.BytesIO()
    closed.close()
    assert check(closed).codes == {Code.UNREADABLE}


def test_every_code_is_documented_and_produced() -> None:
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", section("13. Error codes"), re.MULTILINE))
    assert documented == {code.value for code in Code}
    assert {*CASES, Code.UNREADABLE} == set(Code)


def test_every_committed_vector_has_its_code() -> None:
    listed = json.loads((VECTORS / "manifest.json").read_text())
    assert {path.name for path in VECTORS.glob("*.recording")} == set(listed)
    assert {code for code in listed.values() if code} == {code.value for code in CASES}
    for name, code in listed.items():
        with (VECTORS / name).open("rb") as file:
            assert check(file).codes == ({code} if code else frozenset()), name


def test_the_valid_vector_holds_what_its_description_says() -> None:
    described = json.loads((VECTORS / "valid.json").read_text())
    with (VECTORS / "valid.recording").open("rb") as file:
        assert describe_recording(RecordingReader(file)) == described


def test_every_bound_is_documented_as_it_is() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9,]+) \|", section("11. Bounds"), re.MULTILINE))
    assert {name: int(value.replace(",", "")) for name, value in rows.items()} == {
        name: getattr(bounds, name) for name in bounds.__all__
    }


def test_every_word_of_the_vocabulary_is_documented() -> None:
    elements = section("6. Trees and elements")
    roles, states = elements.split("\nRoles: ")[1].split("\nStates: ")
    assert re.findall(r"`([a-z]+)`", roles) == sorted(Role)
    assert re.findall(r"`([a-z]+)`", states.split("\nTrees")[0]) == sorted(ElementState)


def test_every_act_mark_and_key_is_documented() -> None:
    page = section("9. Actions")
    words = set(re.findall(r"`([A-Za-z0-9_-]+)`", page))
    expected = {*ACTS, *Mark, *Modifier, *(key for key in NAMED_KEYS if not re.fullmatch(r"F\d+", key))}
    assert expected - words == set()
    assert "`F1` to `F24`" in page
    table = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`[a-z_`, ]+) \|", page, re.MULTILINE))))
    fields = {"act", "at_ms", "before", "target", "marks"}
    assert table - fields == set(ACTS)
