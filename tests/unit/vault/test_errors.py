"""Every reason has a hint, is used, and is explained in the normative document."""

import re
from pathlib import Path

import pytest

import understudy.vault
from understudy.consent.errors import ConflictError, NotFoundError
from understudy.vault import errors

PACKAGE = Path(understudy.vault.__file__).parent
SOURCE = "\n".join(path.read_text() for path in PACKAGE.glob("*.py") if path.name != "errors.py")
USED = set(re.findall(r'(?:refusal|conflict|_refused)\("([a-z-]+)"\)', SOURCE)) | set(
    re.findall(r'StandingState\.[A-Z]+: "([a-z-]+)"', SOURCE)
)


def test_every_reason_in_the_source_is_listed_and_every_listed_one_is_used() -> None:
    assert set(errors.REASONS) == USED | {errors.OffsetError(0).reason}


@pytest.mark.parametrize("reason", sorted(errors.REASONS))
def test_a_refusal_carries_its_hint(reason: str) -> None:
    refused = errors.refusal(reason)
    assert (refused.reason, refused.hint) == (reason, errors.REASONS[reason])
    assert not refused.hint.endswith(".")
    assert isinstance(errors.conflict(reason), ConflictError)


def test_final_reasons_are_reasons_and_say_what_happens_to_the_recording() -> None:
    assert set(errors.REASONS) >= errors.FINAL
    assert all("delete" in errors.REASONS[reason] or reason == "lease-stretch" for reason in errors.FINAL)


def test_the_normative_document_explains_every_reason() -> None:
    document = Path(__file__).parents[3] / "docs" / "formats" / "programme.md"
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", document.read_text(), re.MULTILINE))
    assert set(errors.REASONS) <= explained


def test_the_tree_follows_the_four_answers() -> None:
    assert issubclass(errors.VaultDamagedError, errors.VaultError)
    assert issubclass(errors.SegmentMissingError, NotFoundError)
    assert issubclass(errors.ObjectMissingError, NotFoundError)
    assert issubclass(errors.OffsetError, ConflictError)
