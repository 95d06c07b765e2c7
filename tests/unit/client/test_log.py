"""Reading the log over HTTP: whole files or errors, and raw leaves only with a key."""

import pytest

from tests.unit.client.peer import Peer, answer
from understudy.client.http import Connection
from understudy.client.log import HttpLog
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.sealing.signing import SigningKey
from understudy.transparency.checkpoint import Checkpoint, sign_checkpoint
from understudy.transparency.errors import MalformedError, TileMissingError
from understudy.transparency.merkle import tree_root
from understudy.transparency.tiles import encode_bundle

LEAVES = [f"leaf {number}".encode() for number in range(300)]
LOG = SigningKey.generate()
NOTE = sign_checkpoint(Checkpoint("example.com/log", len(LEAVES), tree_root(LEAVES)), LOG)


@pytest.mark.parametrize(
    ("start", "end"), [(0, 300), (0, 1), (255, 257), (256, 300), (299, 400), (300, 300), (9, 9)]
)
def test_entries_are_those_between_start_and_end_across_bundles(start: int, end: int) -> None:
    bundles = [encode_bundle(LEAVES[:256]), encode_bundle(LEAVES[256:])]
    needed = bundles[start // 256 : -(-min(end, 300) // 256)]
    with Peer([answer(200, NOTE), *(answer(200, bundle) for bundle in needed)]) as peer:
        log = HttpLog(Connection(peer.address), key=SigningKey.generate(), audience="A" * 43)
        assert list(log.entries(start, end)) == LEAVES[start:end]


def test_bundles_are_asked_for_by_their_c2sp_paths() -> None:
    with Peer([answer(200, NOTE), answer(200, encode_bundle(LEAVES[256:]))]) as peer:
        HttpLog(Connection(peer.address), key=SigningKey.generate(), audience="A" * 43).entries(256, 300)
        lines = [request.split(b"\r\n")[0] for request in peer.requests]
    assert lines == [b"GET /log/checkpoint HTTP/1.1", b"GET /log/tile/entries/001.p/44 HTTP/1.1"]


def test_raw_leaves_without_a_key_are_not_even_asked_for() -> None:
    with Peer([answer(200, NOTE)]) as peer:
        with pytest.raises(RefusedError) as refused:
            HttpLog(Connection(peer.address)).entries(0, 1)
        assert refused.value.reason == "key-needed"
        assert len(peer.requests) == 1


def test_a_missing_file_is_a_missing_tile() -> None:
    with Peer([answer(404, b"")]) as peer, pytest.raises(TileMissingError):
        HttpLog(Connection(peer.address)).read("tile/0/000")


@pytest.mark.parametrize("path", ["tile/0/0", "../secret", "tile/0/000?x", "", "tile/0/000.p/256", "x"])
def test_only_paths_of_a_log_leave_this_machine(path: str) -> None:
    with Peer([answer(200, b"x")]) as peer:
        with pytest.raises(MalformedError):
            HttpLog(Connection(peer.address)).read(path)
        assert peer.requests == []


@pytest.mark.parametrize("served", [b"nonsense", encode_bundle(LEAVES[:3])[:-1]], ids=["nonsense", "cut"])
def test_a_server_that_serves_nonsense_is_unavailable(served: bytes) -> None:
    with Peer([answer(200, NOTE), answer(200, served)]) as peer:
        log = HttpLog(Connection(peer.address), key=SigningKey.generate(), audience="A" * 43)
        with pytest.raises(UnavailableError):
            log.entries(0, 256)


def test_a_server_that_leaves_entries_out_gives_fewer_and_the_mirror_notices() -> None:
    with Peer([answer(200, NOTE), answer(200, encode_bundle(LEAVES[:3]))]) as peer:
        log = HttpLog(Connection(peer.address), key=SigningKey.generate(), audience="A" * 43)
        assert list(log.entries(0, 256)) == LEAVES[:3]
