"""A witness over HTTP: the specification's statuses become the sequencer's errors."""

import pytest

from tests.unit.client.peer import Answer, Peer, answer, endless, hang_up
from understudy.client.http import Connection
from understudy.client.witness import HttpWitness
from understudy.contract.errors import AnswerError
from understudy.transparency.errors import (
    BadRequestError,
    NotConsistentError,
    SizeConflictError,
    UnknownLogError,
    UntrustedCheckpointError,
    WitnessUnavailableError,
)

NOTE = b"example.com/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"


def cosign(script: Answer) -> bytes:
    with Peer([script]) as peer:
        return HttpWitness(Connection(peer.address)).cosign(NOTE, 0, ())


def test_signature_lines_are_returned_as_they_came() -> None:
    assert cosign(answer(200, b"\xe2\x80\x94 w AAAA\n")) == b"\xe2\x80\x94 w AAAA\n"


def test_the_request_is_the_specifications() -> None:
    with Peer([answer(200, b"x")]) as peer:
        HttpWitness(Connection(peer.address)).cosign(NOTE, 7, (bytes(32),))
        head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /add-checkpoint HTTP/1.1\r\n")
    assert body == b"old 7\n" + b"A" * 43 + b"=\n\n" + NOTE


def test_a_conflict_says_which_size_is_needed() -> None:
    with pytest.raises(SizeConflictError) as conflict:
        cosign(answer(409, b"12\n", content_type="text/x.tlog.size"))
    assert conflict.value.size == 12


@pytest.mark.parametrize("body", [b"", b"many\n", b"-1\n", b"1" * 30, b"1 2"])
def test_a_conflict_without_a_size_is_no_answer(body: bytes) -> None:
    with pytest.raises(WitnessUnavailableError):
        cosign(answer(409, body))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequestError),
        (403, UntrustedCheckpointError),
        (404, UnknownLogError),
        (422, NotConsistentError),
        (500, WitnessUnavailableError),
        (503, WitnessUnavailableError),
        (302, WitnessUnavailableError),
    ],
)
def test_each_status_is_its_own_error(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        cosign(answer(status, b"no\n", location="http://127.0.0.1:1/"))


def test_a_witness_that_hangs_up_is_unavailable() -> None:
    with pytest.raises(WitnessUnavailableError):
        cosign(hang_up)


def test_an_endless_answer_is_given_up() -> None:
    with pytest.raises(AnswerError):
        cosign(endless(200))
