"""One tree of errors: drawn, hinted, and caught by what the upper packages catch."""

import inspect

import pytest

from understudy.consent.errors import ConflictError, RefusedError, UnavailableError, UnderstudyError
from understudy.custody import errors
from understudy.custody.errors import (
    CustodyConflictError,
    CustodyRefusedError,
    StorageError,
)
from understudy.custody.reasons import RefusalReason

OWN = [
    item
    for _, item in inspect.getmembers(errors, inspect.isclass)
    if issubclass(item, UnderstudyError) and item.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", OWN)
def test_every_error_is_drawn_and_says_what_it_is(error: type[UnderstudyError]) -> None:
    assert errors.__doc__ is not None
    assert f"+ {error.__name__} " in errors.__doc__
    assert error.__doc__


def test_a_refusal_carries_its_code_and_hint() -> None:
    refused = CustodyRefusedError(RefusalReason.CEILING)
    assert isinstance(refused, RefusedError)
    assert (refused.reason, refused.hint) == ("ceiling", RefusalReason.CEILING.hint)


def test_a_conflict_is_a_refusal_and_a_full_disk_is_not_now() -> None:
    assert issubclass(CustodyConflictError, ConflictError)
    assert issubclass(StorageError, UnavailableError)
