"""Every reason has a hint, is used, and is explained in the normative document."""

import re
from pathlib import Path

import pytest

import understudy.programme
from understudy.consent.errors import ConflictError, UnavailableError, UnderstudyError
from understudy.programme import errors

PACKAGE = Path(understudy.programme.__file__).parent
SOURCE = "\n".join(path.read_text() for path in PACKAGE.glob("*.py") if path.name != "errors.py")
USED = set(re.findall(r'(?:refusal|conflict)\("([a-z-]+)"\)', SOURCE)) | set(
    re.findall(r'StandingState\.[A-Z]+: "([a-z-]+)"', SOURCE)
)


def test_every_reason_in_the_source_is_listed_and_every_listed_one_is_used() -> None:
    assert set(errors.REASONS) == USED


@pytest.mark.parametrize("reason", sorted(errors.REASONS))
def test_a_refusal_carries_its_hint(reason: str) -> None:
    refused = errors.refusal(reason)
    assert (refused.reason, refused.hint) == (reason, errors.REASONS[reason])
    assert not refused.hint.endswith(".")
    assert isinstance(errors.conflict(reason), ConflictError)


def test_the_normative_document_explains_every_reason() -> None:
    document = Path(__file__).parents[3] / "docs" / "formats" / "programme.md"
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", document.read_text(), re.MULTILINE))
    assert set(errors.REASONS) <= explained


def test_the_tree_has_one_root() -> None:
    assert issubclass(errors.ProgrammeError, UnderstudyError)
    assert issubclass(errors.SuccessionError, errors.DocumentError)
    assert issubclass(errors.StorageError, UnavailableError)
    assert errors.DocumentError(("a", "b")).problems == ("a", "b")
