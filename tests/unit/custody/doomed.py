"""A custodian in a process of its own, to be killed: opens one entry after another and says so when it has.

Usage: ``python -m tests.unit.custody.doomed FOLDER [forgetful]``. FOLDER holds a store made by ``world``.
Each delivery is written there before it is made, and each answer told on standard output after it was given.
``forgetful`` is a seeded fault: transactions are acknowledged and then rolled back.
"""

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.unit.custody.world import Participant, World
from understudy.transparency.database import Database


@contextlib.contextmanager
def forget(database: Database) -> Iterator[None]:
    """Acknowledge without committing."""
    database.write("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        database.write("ROLLBACK")


def main(folder: Path, *, forgetful: bool) -> None:
    """Open entries until killed."""
    world = World(folder, fresh=False)
    state = (folder / "log.json").read_bytes()
    kind = tuple[list[bytes], dict[str, tuple[int, str]]]
    world.log.leaves, world.log.heads = msgspec.json.decode(state, type=kind)
    one = Participant("one")
    segments = [world.share(one)]
    grant = world.grant(ceiling=100_000)
    world.custodian.sync()
    if forgetful:
        Database.transaction = forget  # type: ignore[method-assign,assignment]
    number = 0
    while True:
        request = world.request(grant, segments)
        entered = world.enter(grant, request, {one.tag: segments})
        delivery = world.delivery(entered, grant, request, start=0, leaves=())
        (folder / f"{number}.delivery").write_bytes(msgspec.json.encode((delivery, world.log.leaves)))
        answer = world.custodian.open(delivery)
        sys.stdout.write(f"{number} {hashlib.sha256(answer).hexdigest()}\n")
        sys.stdout.flush()
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), forgetful="forgetful" in sys.argv)
