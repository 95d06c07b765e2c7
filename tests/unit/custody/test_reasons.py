"""Refusal codes are an interface: documented, hinted, and shaped as outcomes store them."""

import re
from pathlib import Path

import pytest

from understudy.consent.scope import Scope
from understudy.custody.reasons import RefusalReason

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| `([a-z-]+)` \|", re.MULTILINE)


def test_the_documented_codes_are_the_codes() -> None:
    page = (ROOT / "docs/formats/custody.md").read_text()
    table = page.split("## 13. Refusal codes")[1].split("\n## ")[0]
    documented = ROW.findall(table)
    assert len(documented) == len(set(documented))
    assert set(documented) == {reason.value for reason in RefusalReason}


@pytest.mark.parametrize("reason", list(RefusalReason))
def test_every_code_has_a_hint_and_fits_an_outcome(reason: RefusalReason) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{0,62}", reason.value)
    assert reason.hint
    assert not reason.hint.endswith(".")
    assert reason.hint[0].islower()


def test_every_field_of_a_scope_has_its_code() -> None:
    singular = {"programme": "programme"} | {
        field: field.removesuffix("s") for field in Scope.__struct_fields__ if field.endswith("s")
    }
    for field in Scope.__struct_fields__:
        assert RefusalReason("scope-" + singular[field].replace("_", "-"))
