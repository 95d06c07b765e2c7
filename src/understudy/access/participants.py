"""What participants have said, read from the programme's tables for one decision at a time.

Rules

* An enrolment counts when it has its custodians' receipts; a console credential counts when the newest such
  record lists it and no later record dropped it. Device keys record; they do not read.
* A consent counts when server and custodians have signed its receipt, and only for the participant who gave
  it.
* A consent that a withdrawal ended stays withdrawn, whatever the participant's standing is now.

Example: ``StoredParticipants(engine, documents).standing(header.seal.consent, header.seal.tag)``.
"""

from sqlalchemy import Engine

from understudy.access.actors import credential_of
from understudy.consent.consent import StandingState
from understudy.consent.purposes import Purpose
from understudy.programme.database import reading
from understudy.programme.documents import Documents
from understudy.programme.people import Enrolled, enrolled, known_consent, standing_of
from understudy.sealing.signing import document_hash


class StoredParticipants:
    """Enrolments, consents and standings of this server."""

    def __init__(self, engine: Engine, documents: Documents) -> None:
        self._engine = engine
        self._documents = documents

    def speaks_for(self, tag: str, credential: str) -> bool:
        """Return whether the credential is the participant's personal key or in their enrolment record."""
        found = self._enrolled(tag)
        if found is None or not found.is_confirmed:
            return False
        known = {document_hash(held) for held in found.credentials}
        return credential in known | {credential_of(found.record.personal_signing)}

    def first_hash(self, tag: str) -> str | None:
        """Return the hash of enrolment record 1, if it has its receipts."""
        found = self._enrolled(tag)
        return found.first_hash if found is not None and found.is_confirmed else None

    def consented(self, consent: str, tag: str) -> tuple[Purpose, ...]:
        """Return the purposes of a consent version of this participant that came into force, or nothing."""
        with reading(self._engine) as session:
            found = known_consent(session, consent, self._documents)
        if found is None or not found.is_in_force or found.consent.tag != tag:
            return ()
        return found.consent.purposes

    def standing(self, consent: str, tag: str) -> StandingState:
        """Return the participant's standing; ``withdrawn`` also if that consent was ended by a withdrawal."""
        with reading(self._engine) as session:
            found = known_consent(session, consent, self._documents)
            if found is not None and found.ended_by is not None:
                return StandingState.WITHDRAWN
            return standing_of(session, tag)

    def _enrolled(self, tag: str) -> Enrolled | None:
        threshold = self._documents.current.key_set.custodian_threshold
        with reading(self._engine) as session:
            return enrolled(session, tag, threshold)
