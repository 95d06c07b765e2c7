"""The manifest of a release: its codes, its hash, and what it must not be able to say."""

import json
import re
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.dataset_forge import CASES, MANIFEST
from understudy.consent.purposes import OFFERED
from understudy.formats.dataset import manifest as module
from understudy.formats.dataset.check import check, load
from understudy.formats.dataset.errors import DatasetCode, DatasetError
from understudy.formats.dataset.manifest import MAX_MANIFEST_BYTES, REQUIRED_CHECKS
from understudy.formats.spelling import spell
from understudy.sealing.signing import document_hash

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats" / "dataset.md").read_text(encoding="utf-8")
VECTORS = ROOT / "tests" / "vectors" / "formats" / "dataset"
RAW = spell(MANIFEST)


def test_a_valid_manifest_has_no_problems_and_reads_back() -> None:
    assert check(RAW).problems == ()
    assert load(RAW) == MANIFEST


@pytest.mark.parametrize("code", CASES, ids=str)
def test_each_broken_rule_is_reported_by_its_code_and_alone(code: DatasetCode) -> None:
    assert check(CASES[code]()).codes == {code}


def test_a_manifest_over_the_bound_is_refused_before_it_is_parsed() -> None:
    assert check(b" " * (MAX_MANIFEST_BYTES + 1)).codes == {DatasetCode.TOO_LARGE}


def test_every_code_is_documented_and_produced() -> None:
    table = PAGE.split("\n## 6. Error codes\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    assert documented == {code.value for code in DatasetCode}
    assert {*CASES, DatasetCode.TOO_LARGE} == set(DatasetCode)


def test_every_bound_is_documented_as_it_is() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9,]+) \|", PAGE, re.MULTILINE))
    here = {name: value for name, value in vars(module).items() if name.startswith("MAX_")}
    here["ROW_GROUP_ROWS"] = module.ROW_GROUP_ROWS
    assert {name: int(value.replace(",", "")) for name, value in rows.items()} == here


def test_every_field_of_the_manifest_is_documented() -> None:
    fields = {field.name for field in msgspec.structs.fields(MANIFEST)}
    section = PAGE.split("\n## 3. Manifest\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", section, re.MULTILINE)
    assert {name for cell in rows for name in re.findall(r"`([a-z_]+)`", cell)} == fields


def test_every_required_check_is_documented() -> None:
    assert all(f"`{name}`" in PAGE for name in REQUIRED_CHECKS)


def test_no_field_names_or_numbers_a_participant() -> None:
    definitions = msgspec.json.schema(type(MANIFEST))["$defs"].values()
    fields = {name for definition in definitions for name in definition.get("properties", ())}
    assert {"shards", "opens", "people"} <= fields
    assert not {"tag", "tags", "participant", "participants", "recording", "segment", "login"} & fields


def test_a_purpose_outside_the_closed_list_does_not_decode() -> None:
    raw = RAW.replace(b'"evaluate","train"', b'"evaluate","performance"')
    assert check(raw).codes == {DatasetCode.MALFORMED}
    assert OFFERED.issuperset(MANIFEST.purposes)


def test_the_committed_vectors_have_their_codes_and_hash() -> None:
    listed = json.loads((VECTORS / "manifest.json").read_text())
    assert {path.name for path in VECTORS.glob("*.manifest")} == set(listed)
    for name, code in listed.items():
        assert check((VECTORS / name).read_bytes()).codes == ({code} if code else frozenset()), name
    assert (VECTORS / "hash.txt").read_text().strip() == document_hash(MANIFEST)
    assert load((VECTORS / "valid.manifest").read_bytes()) == MANIFEST


@given(at=st.integers(0, len(RAW) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_is_another_manifest(at: int, bit: int) -> None:
    flipped = bytearray(RAW)
    flipped[at] ^= 1 << bit
    with suppress(DatasetError):
        assert load(bytes(flipped)) != MANIFEST


@given(cut=st.integers(0, len(RAW) - 1))
def test_a_cut_manifest_is_refused(cut: int) -> None:
    assert check(RAW[:cut]).codes == {DatasetCode.MALFORMED}


@given(junk=st.binary(max_size=200))
def test_junk_is_reported_never_raised(junk: bytes) -> None:
    assert not check(junk).is_valid
