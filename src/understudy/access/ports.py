"""What the door needs of the rest of the server, as Protocols; ``web.server_app`` composes them.

Rules

* The door reads through these and writes to the log only.
* Whatever cannot be found is None or empty, and empty never permits.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from understudy.consent.consent import StandingState
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity, Purpose
from understudy.sealing.half import Half
from understudy.sealing.header import SegmentHeader
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.draft import Appended, Draft
from understudy.transparency.store import LogStore


class Log(Protocol):
    """The log; ``transparency.sequencer.Sequencer`` is one."""

    @property
    def store(self) -> LogStore:
        """Entries, openings and tiles, to read."""
        ...

    def append(self, draft: Draft, *, durable_only: bool = False) -> Appended:
        """Return the entry once it is durable and, unless ``durable_only``, cosigned."""
        ...

    def fresh(self, max_age: int) -> CosignedCheckpoint:
        """Return the newest checkpoint, cosigned at most ``max_age`` seconds ago."""
        ...


class Documents(Protocol):
    """The programme documents; ``programme.documents.Documents`` is one."""

    @property
    def current(self) -> ProgrammeDocument:
        """The document in force."""
        ...

    @property
    def current_hash(self) -> str:
        """Its hash."""
        ...


class Participants(Protocol):
    """What participants have said; ``access.participants.StoredParticipants`` is one."""

    def speaks_for(self, tag: str, credential: str) -> bool:
        """Return whether the credential is the participant's personal key or in their enrolment record."""
        ...

    def first_hash(self, tag: str) -> str | None:
        """Return the hash of enrolment record 1, if it has its receipts."""
        ...

    def consented(self, consent: str, tag: str) -> tuple[Purpose, ...]:
        """Return the purposes of a consent version of this participant that came into force, or nothing."""
        ...

    def standing(self, consent: str, tag: str) -> StandingState:
        """Return the participant's standing; ``withdrawn`` also if that consent was ended by a withdrawal."""
        ...


class SealedStore(Protocol):
    """The server's store of sealed recordings; ``vault.service.Vault`` is one."""

    def headers(self, segments: Sequence[str]) -> Mapping[str, SegmentHeader]:
        """Return the verified headers of those segments that are shared and not erased, by id."""
        ...

    def open_halves(self, headers: Sequence[SegmentHeader]) -> Mapping[str, Half]:
        """Return the opened half ``p`` of each segment, by id; the caller wipes them. Nothing is written.

        Raises:
            NotFoundError: a half is not here any more.
        """
        ...


class Switch(Protocol):
    """The server's switch; ``programme.switch.ServerSwitch`` is one."""

    def is_off(self, activity: Activity) -> bool:
        """Return whether the activity is stopped."""
        ...
