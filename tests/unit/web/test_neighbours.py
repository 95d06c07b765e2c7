"""Profile production runs on several machines, or not at all."""

from pathlib import Path

import pytest

from understudy.consent.errors import RefusedError, UnavailableError
from understudy.contract.messages import Host, Identity
from understudy.web.errors import SharedHostError
from understudy.web.host import is_shared, this_host
from understudy.web.neighbours import Neighbours

HERE = Host(boot="A" * 43, machine="B" * 42 + "A")
ELSEWHERE = Host(boot="C" * 42 + "A", machine="D" * 42 + "A")


class Party:
    """A party that answers with a host, or does not answer yet."""

    def __init__(self, host: Host | None) -> None:
        self.host = host

    def identity(self) -> Identity:
        if self.host is None:
            raise UnavailableError("it does not answer")
        return Identity(
            name="x", role="witness", epoch=1, key_set=None, document=None, signing="A" * 43, host=self.host
        )


@pytest.mark.parametrize(
    ("host", "shared"),
    [
        (HERE, True),
        (ELSEWHERE, False),
        (Host(boot=HERE.boot, machine=ELSEWHERE.machine), True),
        (Host(boot=ELSEWHERE.boot, machine=HERE.machine), True),
        (Host(boot=ELSEWHERE.boot, machine=None), False),
        (Host(boot=None, machine=ELSEWHERE.machine), True),
        (Host(boot=None, machine=None), True),
    ],
)
def test_equal_boot_or_machine_is_one_host_and_so_is_whoever_cannot_tell(host: Host, *, shared: bool) -> None:
    assert is_shared(HERE, host) is shared


def test_production_refuses_a_party_on_the_same_machine() -> None:
    parties = {"custodian first": Party(ELSEWHERE), "witness w": Party(HERE)}
    watched = Neighbours(parties, HERE, is_demanded=True)
    with pytest.raises(SharedHostError) as refused:
        watched.check()
    assert isinstance(refused.value, RefusedError)
    assert "witness w" in str(refused.value)
    assert watched.problem()


def test_production_opens_nothing_before_everybody_has_said_where_they_run() -> None:
    late = Party(None)
    watched = Neighbours({"custodian first": late, "witness w": Party(ELSEWHERE)}, HERE, is_demanded=True)
    watched.check()
    assert "custodian first" in watched.problem()
    late.host = ELSEWHERE
    watched.check()
    assert watched.problem() == ""


def test_production_notices_a_shared_machine_later_too() -> None:
    late = Party(None)
    watched = Neighbours({"custodian first": late}, HERE, is_demanded=True)
    watched.check()
    late.host = HERE
    with pytest.raises(SharedHostError):
        watched.check()
    assert watched.problem()


def test_embedded_does_not_ask() -> None:
    watched = Neighbours({"custodian first": Party(HERE)}, HERE, is_demanded=False)
    watched.check()
    assert watched.problem() == ""


def test_the_digests_say_nothing_but_whether_two_are_equal(tmp_path: Path) -> None:
    boot, machine = tmp_path / "boot", tmp_path / "machine"
    boot.write_text("0f0e\n")
    machine.write_text("0f0e\n")
    host = this_host(boot, machine)
    assert host.boot != host.machine  # the same text in the other file is another digest
    assert "0f0e" not in str(host)
    assert this_host(boot, machine) == host
    assert this_host(tmp_path / "none", tmp_path / "none") == Host(boot=None, machine=None)
