"""Who has stopped is what the custodian itself says; what a lift signs comes from its own address."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lines import Between
from tests.simulator import Simulator
from understudy.cli import switch
from understudy.client.errors import NoAnswerError
from understudy.consent.errors import RefusedError, UnavailableError, UnderstudyError
from understudy.consent.purposes import Activity
from understudy.contract.messages import SwitchStatus
from understudy.custody.switch import LiftBundle
from understudy.sealing.keyfile import create_signing
from understudy.sealing.signing import Signed

READS: tuple[switch.What, ...] = ("reads",)


def nowhere(*_: object) -> Any:
    raise NoAnswerError("nobody answers")


class Programme:
    """A running programme, its people's key files, and what stands at its two addresses."""

    def __init__(self, root: Path) -> None:
        self.world = Simulator(root / "world", at=int(time.time()))
        self.server: object = self.world.server
        self.custodian: object = self.world.custodian
        self._keys = root / "keys"
        self._keys.mkdir(mode=0o700)
        for name in ("steward", "lift-1", "lift-2", "stranger"):
            create_signing(self._keys / f"{name}.json", key=self.world.cast.person(name))

    def key(self, name: str) -> Path:
        return self._keys / f"{name}.json"

    def cut(self, *parties: str) -> None:
        """Let nobody through to these parties."""
        calls = ("document", "switch_off", "switch_status", "custodian_switch", "lift")
        for party in parties:
            setattr(self, party, Between(getattr(self, party), **dict.fromkeys(calls, nowhere)))

    def suspend(self, name: str = "steward") -> int:
        return switch.suspend(READS, key=self.key(name), server="s", custodian=("c",), json=True)

    def lift(self) -> None:
        keys = (self.key("lift-1"), self.key("lift-2"))
        switch.lift(READS, key=keys, server="s", custodian=("c",), json=True)

    @property
    def off(self) -> tuple[bool, bool]:
        """Whether reads are off at custodian and server."""
        parties = (self.world.custodian, self.world.server)
        custodian, server = (Activity.READS in party.switch_status().off for party in parties)
        return custodian, server


@pytest.fixture
def programme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programme]:
    made = Programme(tmp_path)
    monkeypatch.setattr(switch, "connect", lambda _address: made.server)
    monkeypatch.setattr(switch, "connect_custodian", lambda _address: made.custodian)
    yield made
    made.world.close()


class TestSuspend:
    def test_both_are_told_and_say_so(self, programme: Programme, capsys: pytest.CaptureFixture[str]) -> None:
        assert programme.suspend() == 0
        assert programme.off == (True, True)
        said = json.loads(capsys.readouterr().out)
        assert said["confirmed"] == [programme.world.custodian.name, "server"]

    def test_a_server_that_only_says_yes_stops_nothing_and_keeps_nothing_from_the_custodian(
        self, programme: Programme
    ) -> None:
        def lie(_order: Signed) -> SwitchStatus:
            return SwitchStatus(by="server", epoch=1, revision=9, off=tuple(Activity), queued=0)

        programme.server = Between(programme.server, switch_off=lie)
        assert programme.suspend() == 0
        assert programme.off == (True, False)
        programme.lift()
        programme.cut("custodian")
        assert programme.suspend() == 1
        assert programme.off == (False, False)

    def test_it_works_without_the_server(
        self, programme: Programme, capsys: pytest.CaptureFixture[str]
    ) -> None:
        programme.cut("server")
        assert programme.suspend() == 0
        assert programme.off == (True, False)
        assert "not confirmed by s" in capsys.readouterr().err

    def test_it_works_without_the_custodian_and_fails_aloud(
        self, programme: Programme, capsys: pytest.CaptureFixture[str]
    ) -> None:
        programme.world.custodian_line.is_cut = True
        programme.cut("custodian")
        assert programme.suspend() == 1
        assert programme.off == (False, True)
        assert "not every custodian has confirmed" in capsys.readouterr().err

    def test_with_nobody_it_is_an_error(self, programme: Programme) -> None:
        programme.cut("server", "custodian")
        with pytest.raises(UnavailableError):
            programme.suspend()

    def test_a_custodian_that_goes_on_has_confirmed_nothing(self, programme: Programme) -> None:
        idle = programme.world.custodian
        programme.custodian = Between(idle, switch_off=lambda _order: idle.switch_status())
        programme.world.custodian_line.is_cut = True
        assert programme.suspend() == 1

    def test_the_servers_answer_at_the_custodians_address_is_no_custodians(
        self, programme: Programme
    ) -> None:
        programme.custodian = Between(programme.server)
        assert programme.suspend() == 1

    def test_a_stranger_stops_nothing(self, programme: Programme) -> None:
        with pytest.raises(RefusedError):
            programme.suspend("stranger")
        assert programme.off == (False, False)


class TestLift:
    def test_both_go_on(self, programme: Programme) -> None:
        programme.suspend()
        programme.lift()
        assert programme.off == (False, False)

    def test_a_server_cannot_have_a_bundle_signed_for_later(self, programme: Programme) -> None:
        """The revision is the custodian's own; what the server says of it is not asked."""
        world, kept = programme.world, []
        real = world.custodian.switch_status()

        def later() -> SwitchStatus:
            return SwitchStatus(by=real.by, epoch=real.epoch, revision=99, off=real.off, queued=0)

        def keep(bundle: Signed) -> SwitchStatus:
            kept.append(bundle)
            return world.server.switch_status()

        programme.suspend()
        revision = world.custodian.switch_status().revision
        programme.server = Between(world.server, custodian_switch=later, lift=keep)
        programme.lift()
        assert kept[0].verify(LiftBundle).revision == revision
        assert programme.off == (
            False,
            True,
        )  # brought to the custodian directly, so that the bundle is spent
        programme.suspend()
        for party in (world.custodian, world.server):
            with pytest.raises(UnderstudyError):
                party.lift(kept[0])
        assert programme.off == (True, True)

    def test_without_the_server_the_custodian_is_lifted_directly(self, programme: Programme) -> None:
        programme.suspend()
        programme.cut("server")
        programme.lift()
        assert programme.off == (False, True)

    def test_a_stop_that_waits_is_not_passed_by(self, programme: Programme) -> None:
        world = programme.world
        programme.suspend()
        world.custodian_line.is_cut = True
        world.server.switch_off(world.order(Activity.CAPTURE))
        with pytest.raises(UnavailableError):
            programme.lift()
        assert programme.off == (True, True)

    def test_too_few_keys_lift_nothing(self, programme: Programme) -> None:
        programme.suspend()
        with pytest.raises(RefusedError):
            switch.lift(READS, key=(programme.key("lift-1"),), server="s", custodian=("c",))
        assert programme.off == (True, True)

    def test_a_dry_run_signs_nothing(self, programme: Programme, capsys: pytest.CaptureFixture[str]) -> None:
        programme.suspend()
        switch.lift(READS, key=(programme.key("lift-1"),), dry_run=True, server="s", custodian=("c",))
        assert "off now: reads" in capsys.readouterr().err
        assert programme.off == (True, True)
