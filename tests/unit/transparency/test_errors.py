import inspect

from understudy.consent.errors import UnderstudyError
from understudy.transparency import errors


def classes() -> list[type[UnderstudyError]]:
    return [
        found
        for _, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.TransparencyError)
    ]


def test_every_error_stands_in_the_drawing() -> None:
    drawing = inspect.getdoc(errors)
    assert drawing is not None
    for error in classes():
        assert error.__name__ in drawing


def test_every_error_explains_itself() -> None:
    for error in classes():
        assert inspect.getdoc(error)
        assert error.__name__.endswith("Error")


def test_witness_refusals_carry_the_status_of_the_specification() -> None:
    refusals: dict[type[UnderstudyError], int] = {
        errors.BadRequestError: 400,
        errors.UntrustedCheckpointError: 403,
        errors.UnknownLogError: 404,
        errors.SizeConflictError: 409,
        errors.NotConsistentError: 422,
    }
    assert {error: getattr(error, "status", 0) for error in refusals} == refusals
