"""Every documented code of the raw format is produced, and the committed files mean what is said of them."""

import io
import json
import re
from pathlib import Path

import pytest

from tests.unit.formats.describe import describe_raw
from tests.unit.formats.raw_forge import CASES, StandIn, small_file
from understudy.formats.raw import bounds
from understudy.formats.raw.check import check
from understudy.formats.raw.errors import RawCode
from understudy.formats.raw.reader import RawReader

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats" / "raw.md").read_text(encoding="utf-8")
VECTORS = ROOT / "tests" / "vectors" / "formats" / "raw"


class Endless(io.BytesIO):
    """A file that says it is longer than any raw file may be."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return bounds.MAX_RAW_BYTES + 1 if whence == io.SEEK_END else super().seek(offset, whence)


class Broken(io.BytesIO):
    """A disk that fails."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError(5, "input/output error")


def test_a_small_valid_file_has_no_problems() -> None:
    assert check(io.BytesIO(small_file()), StandIn()).problems == ()


@pytest.mark.parametrize("code", CASES, ids=str)
def test_each_broken_rule_is_reported_by_its_code(code: RawCode) -> None:
    assert check(io.BytesIO(CASES[code]()), StandIn()).codes == {code}


def test_a_file_over_the_bound_is_refused_before_it_is_read() -> None:
    assert check(Endless(small_file()), StandIn()).codes == {RawCode.TOO_LARGE}


def test_a_file_that_cannot_be_read_is_reported_not_raised() -> None:
    assert check(Broken(small_file()), StandIn()).codes == {RawCode.UNREADABLE}


def test_every_code_is_documented_and_produced() -> None:
    table = PAGE.split("\n## 5. Error codes\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", table, re.MULTILINE)
    documented = {code for cell in cells for code in re.findall(r"`([a-z-]+)`", cell)}
    assert documented == {code.value for code in RawCode}
    assert {*CASES, RawCode.UNREADABLE, RawCode.TOO_LARGE} == set(RawCode)


def test_every_bound_is_documented_as_it_is() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9,]+) \|", PAGE, re.MULTILINE))
    here = {name: value for name, value in vars(bounds).items() if name.startswith("MAX_")}
    assert {name: int(value.replace(",", "")) for name, value in rows.items()} == here


def test_every_committed_vector_has_its_code() -> None:
    listed = json.loads((VECTORS / "manifest.json").read_text())
    assert {path.name for path in VECTORS.glob("*.raw")} == set(listed)
    assert {code for code in listed.values() if code} == {code.value for code in CASES}
    for name, code in listed.items():
        with (VECTORS / name).open("rb") as file:
            assert check(file, StandIn()).codes == ({code} if code else frozenset()), name


def test_the_valid_vector_holds_what_its_description_says() -> None:
    described = json.loads((VECTORS / "valid.json").read_text())
    with (VECTORS / "valid.raw").open("rb") as file:
        assert describe_raw(RawReader(file, StandIn())) == described
