"""People's commands use the programme document that the person holds, or say that they believe the server."""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from tests.cast import Cast
from understudy.cli import UNVERIFIED, exit_code
from understudy.cli.connect import pinned_document
from understudy.client.server import ServerClient
from understudy.consent.errors import UnderstudyError
from understudy.recorder.errors import PinError
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import Signed, sign

CAST = Cast()


class Server:
    """Shows a document."""

    def __init__(self, shown: Signed) -> None:
        self._shown = shown

    def document(self) -> Signed:
        return self._shown


def server(shown: Signed | None = None) -> ServerClient:
    return cast("ServerClient", Server(shown or CAST.signed_document()))


def other_document() -> Signed:
    """Return the document with one more key that may ask: signed, but not the one everybody agreed to."""
    changed = msgspec.structs.replace(CAST.document(), number=2)
    return sign(changed, CAST.server, CAST.person("steward"))


def held(folder: Path, signed: Signed) -> Path:
    path = folder / "document.json"
    path.write_bytes(msgspec.json.encode(signed))
    return path


def test_the_document_held_is_the_one_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pinned_document(server(), held(tmp_path, CAST.signed_document())) == CAST.document()
    assert capsys.readouterr().err == ""


def test_a_server_that_shows_another_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PinError) as caught:
        pinned_document(server(other_document()), held(tmp_path, CAST.signed_document()))
    assert exit_code(caught.value) == UNVERIFIED


def test_without_one_the_command_says_whom_it_believes(capsys: pytest.CaptureFixture[str]) -> None:
    assert pinned_document(server(other_document()), None).number == 2
    assert "believed as the server shows it" in capsys.readouterr().err


def test_a_file_with_a_wrong_signature_is_refused(tmp_path: Path) -> None:
    signed = other_document()
    wrong = Signed(body=CAST.signed_document().body, signatures=signed.signatures)
    with pytest.raises(SignatureError):
        pinned_document(server(), held(tmp_path, wrong))


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b"[1]"])
def test_a_file_that_is_no_document_is_an_error(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "document.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnderstudyError, match="not a signed programme document"):
        pinned_document(server(), path)
