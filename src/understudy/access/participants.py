"""What participants have said, read from the programme's tables for one decision at a time.

Rules

* An enrolment counts when it has its custodians' receipts; a console credential counts when the newest such
  record lists it and no later record dropped it. Device keys record; they do not read.
* A consent counts when server and custodians have signed its receipt, and only for the participant who gave
  it.
* A consent that a withdrawal ended stays withdrawn, whatever the participant's standing is now.

Example: ``StoredParticipants(engine, documents).said([(seal.tag, seal.consent)])``.
"""

from collections.abc import Collection

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from understudy.access.actors import credential_of
from understudy.access.ports import Said
from understudy.consent.consent import StandingState
from understudy.programme.database import reading
from understudy.programme.documents import Documents
from understudy.programme.people import enrolled, first_hash_of, known_consent, standing_of
from understudy.sealing.signing import document_hash


class StoredParticipants:
    """Enrolments, consents and standings of this server."""

    def __init__(self, engine: Engine, documents: Documents) -> None:
        self._engine = engine
        self._documents = documents

    def speaks_for(self, tag: str, credential: str) -> bool:
        """Return whether the credential is the participant's personal key or in their enrolment record."""
        with reading(self._engine) as session:
            found = enrolled(session, tag, self._threshold)
        if found is None or not found.is_confirmed:
            return False
        known = {document_hash(held) for held in found.credentials}
        return credential in known | {credential_of(found.record.personal_signing)}

    def said(self, versions: Collection[tuple[str, str]]) -> dict[tuple[str, str], Said]:
        """Return what was said, for every pair of tag and consent version, all at one moment."""
        with reading(self._engine) as session:
            return {(tag, consent): self._said(session, tag, consent) for tag, consent in versions}

    @property
    def _threshold(self) -> int:
        return self._documents.current.key_set.custodian_threshold

    def _said(self, session: Session, tag: str, consent: str) -> Said:
        known = known_consent(session, consent, self._documents)
        is_theirs = known is not None and known.is_in_force and known.consent.tag == tag
        has_ended = known is not None and known.ended_by is not None
        return Said(
            purposes=known.consent.purposes if known is not None and is_theirs else (),
            standing=StandingState.WITHDRAWN if has_ended else standing_of(session, tag),
            first_hash=first_hash_of(session, tag, self._threshold),
        )
