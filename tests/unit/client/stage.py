"""A programme with something to read, for the tests of readers and of ``log mine``.

Example: ``stage.open_with(lambda answer: forged)`` has the reader open through a server that forges answers.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final

from tests.lines import between
from tests.simulator import Participant, Simulator
from understudy.client.mine import Mine, reads_of_mine
from understudy.consent.enrolment import EnrolmentRecord
from understudy.contract.messages import OpenAnswer, OpenCall
from understudy.custody.openings import OpeningsAnswer
from understudy.sealing.half import Half
from understudy.sealing.signing import Signed

Forge = Callable[[OpenAnswer], OpenAnswer]


class Source:
    """A custodian whose answers somebody changes."""

    def __init__(self, world: Simulator, change: Callable[[OpeningsAnswer], OpeningsAnswer]) -> None:
        self._world = world
        self._change = change

    def openings(self, request: Signed) -> OpeningsAnswer:
        """Return the custodian's answer, changed."""
        return self._change(self._world.custodian.openings(request))


class Stage:
    """Ana has shared two segments; there is a grant."""

    def __init__(self, world: Simulator) -> None:
        self.world: Final = world
        self.ana: Final[Participant] = world.participant("ana")
        self.payloads: Final = self.ana.share(2)
        self.segments: Final = tuple(sorted(self.payloads))

    @cached_property
    def grant(self) -> str:
        """A grant for everything."""
        return self.world.grant()

    def open_with(self, forge: Forge) -> dict[str, tuple[Half, Half]]:
        """Obtain halves through a server that changes its answers."""
        port = self.world.port

        def forged(call: OpenCall) -> OpenAnswer:
            return forge(port.open(call))

        reader = self.world.reader(port=between(port, open=forged))
        return reader.obtain_halves(self.grant, self.world.reason, self.segments)

    def read_with(self, **replaced: Any) -> dict[str, bytes]:
        """Open everything through a server with some calls replaced."""
        reader = self.world.reader(port=between(self.world.port, **replaced))
        return dict(reader.open(self.grant, self.world.reason, self.world.entries(self.grant)))

    def mine(
        self,
        *changes: Callable[[OpeningsAnswer], OpeningsAnswer],
        log: Any = None,
        seen: Iterable[Signed] = (),
    ) -> Mine:
        """Return the list as told by one custodian for each change."""
        sources = [Source(self.world, change) for change in changes or (lambda answer: answer,)]
        return reads_of_mine(
            self.ana.device.personal,
            self.world.programme,
            self.ana.device.enrolment.hash(EnrolmentRecord),
            sources,
            log or self.world.server,
            self.world.clock,
            seen=tuple(seen),
        )
