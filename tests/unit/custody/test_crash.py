"""Killed half-way: what was acknowledged is there, and the custodian goes on where it stood.

The instrument is shown to work: a custodian that acknowledges without committing is caught by it.
"""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from tests.unit.custody.world import Participant, World, decoded, reason_of
from understudy.custody.delivery import Delivery
from understudy.custody.head import Head, Released

ROOT = Path(__file__).parents[3]


@dataclass
class Killed:
    """What a killed custodian had acknowledged: hashes of answers by number."""

    acknowledged: dict[int, str]
    started: int


def kill(template: World, folder: Path, *, after: int, forgetful: bool = False) -> Killed:
    """Let a custodian work on a copy in ``folder``; kill it once it has told ``after`` answers."""
    world = template.copy(folder)
    state = (world.log.leaves, world.log.heads)
    (folder / "log.json").write_bytes(msgspec.json.encode(state))
    world.custodian.close()
    arguments = [sys.executable, "-m", "tests.unit.custody.doomed", str(folder)]
    with subprocess.Popen(
        [*arguments, *(["forgetful"] if forgetful else [])], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.kill()
        lines += process.stdout.readlines()
    told = dict(line.split() for line in lines if line.endswith("\n"))
    started = len(list(folder.glob("*.delivery")))
    return Killed({int(number): answer for number, answer in told.items()}, started)


def lost(folder: Path, killed: Killed) -> list[int]:
    """Open the store again; return the acknowledged answers that are not given again byte for byte."""
    world = World(folder, fresh=False)
    missing = []
    try:
        for number, told in killed.acknowledged.items():
            raw = (folder / f"{number}.delivery").read_bytes()
            delivery, world.log.leaves = msgspec.json.decode(raw, type=tuple[Delivery, list[bytes]])
            stored = world.store.database.row("SELECT 1 FROM entries WHERE position = ?", delivery.index)
            answer = world.custodian.open(delivery)
            if stored is None or hashlib.sha256(answer).hexdigest() != told:
                missing.append(number)
    finally:
        world.custodian.close()
    return missing


@pytest.mark.parametrize("after", [1, 7, 20])
def test_what_was_acknowledged_before_a_kill_is_there_after_it(
    template: World, tmp_path: Path, after: int
) -> None:
    killed = kill(template, tmp_path, after=after)
    assert len(killed.acknowledged) >= after
    assert lost(tmp_path, killed) == []


def test_after_a_kill_it_goes_on_without_a_gap(template: World, tmp_path: Path) -> None:
    killed = kill(template, tmp_path, after=3)
    world, one = World(tmp_path, fresh=False), Participant("one")
    for number in range(killed.started):
        try:
            raw = (tmp_path / f"{number}.delivery").read_bytes()
            delivery, world.log.leaves = msgspec.json.decode(raw, type=tuple[Delivery, list[bytes]])
        except msgspec.DecodeError:  # the last one was being written
            break
        assert isinstance(decoded(world.custodian.open(delivery)), Released)
        head = world.custodian.head(one.tag).verify(Head)
        world.log.heads[one.tag] = (head.n, head.commitment)
    rows = world.store.database.rows("SELECT n FROM numbers WHERE tag = ? ORDER BY n", one.tag)
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert reason_of(world.ask(one, [world.share(one)])) == "released"
    world.custodian.close()


def test_seeded_fault_answers_that_were_not_committed_are_noticed(template: World, tmp_path: Path) -> None:
    killed = kill(template, tmp_path, after=1, forgetful=True)
    assert 0 in lost(tmp_path, killed)
