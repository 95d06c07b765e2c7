"""What the door needs of the rest of the server, as Protocols; ``web.server_app`` composes them.

Rules

* The door reads through these and writes to the log only.
* Whatever cannot be found is None or empty, and empty never permits.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from understudy.consent.consent import StandingState
from understudy.consent.primitives import Digest, Value
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


class Said(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a participant said, as far as one of their consent versions goes.

    Attributes:
        purposes: those of the consent version, if it came into force and is this participant's; else none.
        standing: the participant's; ``withdrawn`` also if that consent was ended by a withdrawal.
        first_hash: the hash of enrolment record 1, if it has its receipts.
    """

    purposes: tuple[Purpose, ...]
    standing: StandingState
    first_hash: Digest | None


class Participants(Protocol):
    """What participants have said; ``access.participants.StoredParticipants`` is one."""

    def speaks_for(self, tag: str, credential: str) -> bool:
        """Return whether the credential is the participant's personal key or in their enrolment record."""
        ...

    def said(self, versions: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Said]:
        """Return what was said, for every pair of tag and consent version, all at one moment."""
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
