"""An error crosses the wire and is the same error on the other side."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.consent.errors import (
    ConflictError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnderstudyError,
)
from understudy.contract.body import read_body, write_body
from understudy.contract.errors import InternalError, MethodError, TooLargeError
from understudy.contract.messages import Problem
from understudy.contract.problems import error_of, error_of_answer, problem_of
from understudy.sealing.errors import (
    DurabilityError,
    FormatError,
    HalfError,
    KeyFileError,
    SealError,
    SignatureError,
)
from understudy.transparency.errors import (
    MalformedError,
    NotCosignedError,
    QuorumError,
    RequestConflictError,
    RolledBackError,
    StorageError,
    TileMissingError,
    UntrustedCheckpointError,
)

ROUND_TRIPS = [
    (FormatError("not a valid Grant", hint="look"), 400),
    (SealError("not for this key"), 400),
    (SignatureError("the signature does not verify"), 401),
    (RefusedError("grant-expired", hint="ask for another grant"), 403),
    (NotFoundError("there is no such segment"), 404),
    (MethodError("the path takes another method"), 405),
    (ConflictError("offset", hint="go on at 3", message="refused: the upload stands at 3"), 409),
    (TooLargeError("the body is over the limit"), 413),
    (UnavailableError("no custodian can be reached", hint="later"), 503),
]


@pytest.mark.parametrize(("error", "status"), ROUND_TRIPS, ids=lambda case: type(case).__name__)
def test_an_error_comes_back_as_the_same_class_with_words_reason_and_hint(
    error: UnderstudyError, status: int
) -> None:
    problem = problem_of(error)
    assert problem.status == status
    back = error_of(read_body(Problem, write_body(problem)))
    assert type(back) is type(error)
    assert (str(back), back.hint) == (str(error), error.hint)
    assert getattr(back, "reason", None) == getattr(error, "reason", None)


@pytest.mark.parametrize(
    ("error", "status", "family"),
    [
        (MalformedError("not a tile"), 400, FormatError),
        (HalfError("c", "another one"), 400, SealError),
        (UntrustedCheckpointError("not signed"), 401, SignatureError),
        (QuorumError("too few"), 503, UnavailableError),
        (RolledBackError("smaller"), 503, UnavailableError),
        (TileMissingError("no file"), 404, NotFoundError),
        (RequestConflictError("used before"), 409, ConflictError),
        (NotCosignedError("durable only", index=3), 503, UnavailableError),
        (StorageError("the disk is full"), 503, UnavailableError),
        (DurabilityError("not written"), 503, UnavailableError),
    ],
    ids=lambda case: type(case).__name__ if isinstance(case, Exception) else "",
)
def test_errors_of_the_parts_arrive_as_their_family(
    error: UnderstudyError, status: int, family: type[UnderstudyError]
) -> None:
    problem = problem_of(error)
    assert problem.status == status
    assert type(error_of(problem)) is family


@pytest.mark.parametrize(
    "error",
    [ValueError("/home/somebody/secret.key"), KeyFileError("/home/x.key is open to others"), KeyError("tag")],
)
def test_what_was_not_meant_for_callers_tells_them_nothing(error: Exception) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.detail, problem.reason, problem.hint) == (500, "", "", "")
    assert isinstance(error_of(problem), InternalError)


@given(
    status=st.integers(min_value=100, max_value=999),
    raw=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)),
)
def test_any_answer_becomes_an_error_of_the_right_family(status: int, raw: bytes) -> None:
    error = error_of_answer(status, raw)
    assert isinstance(error, UnderstudyError)
    if status == 503:
        assert isinstance(error, UnavailableError)
    if status == 404:
        assert isinstance(error, NotFoundError)


def test_an_unknown_type_falls_back_on_the_status() -> None:
    later = Problem(type="urn:understudy:newer-than-me", title="t", status=403, reason="some-rule")
    back = error_of(later)
    assert isinstance(back, RefusedError)
    assert back.reason == "some-rule"


def test_a_problem_with_an_unknown_field_is_still_an_error_of_its_status() -> None:
    raw = msgspec.json.encode({"type": "x", "title": "y", "status": 503, "more": 1})
    assert isinstance(error_of_answer(503, raw), UnavailableError)
