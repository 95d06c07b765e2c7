"""``understudy log mine`` remembers on the device what custodians signed, and holds them to it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.simulator import Participant, Simulator
from understudy.cli import UNVERIFIED, log, run
from understudy.custody.head import Head
from understudy.recorder.heads import SeenHeads
from understudy.sealing.signing import sign


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A world of now; the command's connections lead to its parties without HTTP."""
    with Simulator(tmp_path / "world", at=int(time.time())) as made:
        monkeypatch.setattr(log, "connect", lambda _address: made.server)
        monkeypatch.setattr(log, "connect_custodian", lambda _address: made.custodian)
        yield made


@pytest.fixture
def ana(world: Simulator) -> Participant:
    ana = world.participant("ana")
    ana.share()
    return ana


def mine(ana: Participant) -> int:
    return run(["log", "mine", "--device", str(ana.device.home), "--json"])


def test_the_heads_that_were_shown_stay_on_the_device(
    world: Simulator, ana: Participant, capsys: pytest.CaptureFixture[str]
) -> None:
    grant = world.grant()
    for reads in range(3):
        assert mine(ana) == 0
        assert len(json.loads(capsys.readouterr().out)["reads"]) == reads
        (kept,) = SeenHeads(ana.device.home).read()
        assert kept.verify(Head, [world.cast.custodian.signing.public]).n == reads
        world.read(grant)


def test_a_list_shorter_than_what_was_shown_is_an_error_and_the_proof_stays(
    world: Simulator, ana: Participant, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mine(ana) == 0
    (kept,) = SeenHeads(ana.device.home).read()
    longer = sign(msgspec.structs.replace(kept.verify(Head), n=7), world.cast.custodian.signing)
    SeenHeads(ana.device.home).keep([longer])
    assert mine(ana) == UNVERIFIED
    said = capsys.readouterr().err
    assert "went backwards" in said
    assert "hint: keep the head" in said
    assert SeenHeads(ana.device.home).read() == (longer,)
