"""Every failure is a sentence, and a hint where something can be done; the exit code says of which kind."""

from pathlib import Path

import pytest

from understudy.cli import FAILED, OK, REFUSED, UNVERIFIED, USAGE, app, exit_code, run
from understudy.client.errors import EntryError
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError, UnderstudyError
from understudy.recorder.errors import PinError
from understudy.sealing.errors import SealError, SignatureError
from understudy.transparency.errors import ForkedError, ProofError


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], USAGE, 'unknown command "nonsense"'),
        (["suspend", "everything", "--key", "x"], USAGE, 'invalid value "everything"'),
        (["grant", "open", "x", "--key", "y", "--reason", "nope"], USAGE, 'invalid value "nope"'),
        (["request", "create"], USAGE, "requires an argument"),
        (["device", "status", "--device", "nowhere"], FAILED, "this device is not set up"),
        (["log", "verify", "nowhere", "--document", "none"], FAILED, "not a signed programme document"),
        (["recording", "check", "nowhere"], FAILED, "no such file"),
    ],
)
def test_errors_are_sentences_and_never_tracebacks(
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    told = capsys.readouterr().err
    assert told.startswith("understudy: error: ")
    assert said in told
    assert "Traceback" not in told
    if code == USAGE:
        assert "understudy: hint: " in told


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError("switch-off"), REFUSED),
        (EntryError("x"), UNVERIFIED),
        (PinError("x"), UNVERIFIED),
        (SealError("x"), UNVERIFIED),
        (SignatureError("x"), UNVERIFIED),
        (ProofError("x"), UNVERIFIED),
        (ForkedError("x"), UNVERIFIED),
        (NotFoundError("x"), FAILED),
        (UnavailableError("x"), FAILED),
        (UnderstudyError("x"), FAILED),
    ],
)
def test_the_exit_code_says_what_kind_of_no_it_is(error: UnderstudyError, code: int) -> None:
    assert exit_code(error) == code


def test_a_defect_is_called_one_and_shows_no_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("understudy.cli.app", broken)
    assert run(["log", "mine"]) == FAILED
    told = capsys.readouterr().err
    assert "an unexpected ZeroDivisionError" in told
    assert "secret" not in told


def test_every_command_has_a_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    names = [name for name in app if not name.startswith("-")]
    assert len(names) > 12
    for name in names:
        assert run([name, "--help"]) == OK
        assert len(capsys.readouterr().out) > 80
