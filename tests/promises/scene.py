"""The scene of the promise tests: who is on it, and what is at stake."""

from functools import cached_property
from typing import Final

from tests.simulator import Participant, Simulator
from understudy.consent.purposes import Purpose
from understudy.custody.grant import Grant
from understudy.sealing.signing import Signed

CANARIES: Final = ("zqx-canary-Hafen 17", 'zqx-canary-\u00fc\u00df\u20ac "quoted"')
"""Planted in ana's recordings; they occur nowhere else."""


class Scene:
    """A programme with ana and ben, who have shared two segments each, and one grant in force."""

    def __init__(self, world: Simulator) -> None:
        self.world: Final = world
        self.ana: Final[Participant] = world.visitor("ana")
        self.ben: Final[Participant] = world.visitor("ben")

    @cached_property
    def grant(self) -> str:
        """The hash of a grant for everything, for one reader."""
        return self.world.grant()

    @cached_property
    def narrow(self) -> Participant:
        """A participant who has consented to evaluation only, and shared one segment."""
        return self._shared(self.world.visitor("narrow").enrol().consent(Purpose.EVALUATE))

    @cached_property
    def returned(self) -> Participant:
        """A participant who has shared one segment, and may withdraw and come back."""
        return self._shared(self.world.participant("returned"))

    @cached_property
    def paused(self) -> Participant:
        """A participant who has shared one segment, and may pause."""
        return self._shared(self.world.participant("paused"))

    @property
    def signed_grant(self) -> Signed:
        """That grant, with its approvals."""
        held = self.world.server.grants.find(self.grant)
        assert held is not None
        return held.signed

    def segments(self, participant: Participant) -> tuple[str, ...]:
        """Return a participant's segments, sorted."""
        found = self.world.port.segments(participant.device.personal.signing).segments
        return tuple(sorted(entry.segment for entry in found))

    @property
    def terms(self) -> Grant:
        """What the grant says."""
        return self.signed_grant.verify(Grant)

    @staticmethod
    def _shared(participant: Participant) -> Participant:
        participant.share()
        return participant
