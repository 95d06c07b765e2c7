"""What a segment must fulfil to be taken: pure decisions over its header, its consent and its leases.

Rules

* The header says what was recorded; the consent it names, what may have been. The group is one that was
  agreed to, and the present terms still offer everything that was agreed to.
* Every second of the stretch lies in a lease for this device and consent, and in the reach of a
  custodian's word that capture was on. Clocks may differ by the programme's tolerance, which widens both.
* A lease counts under the server key, a statement under the custodian key, of a document that is or was
  in force.
* Whoever presents other leases than the header commits to is refused: the device signed that commitment.

Example

>>> union_covers([(0, 30), (30, 60)], 0, 60), union_covers([(0, 29), (30, 60)], 0, 60)
(True, False)
"""

from collections.abc import Iterable, Iterator, Mapping

from understudy.consent.consent import Consent
from understudy.consent.decisions import Allowed, Decision, Refused
from understudy.consent.lease import Lease
from understudy.consent.programme import ProgrammeDocument, Terms
from understudy.consent.purposes import Activity
from understudy.custody.coverage import LeasePresentation, lease_root
from understudy.custody.statement import verify_statement
from understudy.custody.switch import SwitchStatement
from understudy.programme.people import KnownConsent
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.header import SegmentHeader
from understudy.sealing.signing import Signed
from understudy.vault.errors import REASONS

Interval = tuple[int, int]
"""Seconds from the first to before the second."""


def check_header(header: SegmentHeader, document: ProgrammeDocument, key_set: str) -> Decision:
    """Return whether the header fits the programme document in force.

    Args:
        header: a verified header.
        document: the document in force.
        key_set: the hash of its key set.
    """
    seal, keys = header.seal, document.key_set
    if seal.kind != "recording":
        return _refused("object-kind")
    if seal.programme != document.programme:
        return _refused("programme")
    if seal.key_set != key_set:
        return _refused("key-set")
    if (header.custodians.k, header.custodians.n) != (keys.custodian_threshold, len(keys.custodians)):
        return _refused("key-set")
    return Allowed(because=("header",))


def check_consent(header: SegmentHeader, known: KnownConsent | None, terms: Terms) -> Decision:
    """Return whether the consent that the header names permits the segment, now.

    Args:
        header: a verified header.
        known: that consent, or None if nobody gave it.
        terms: the terms of the document in force.
    """
    if known is None or known.consent.tag != header.seal.tag or not known.is_in_force:
        return _refused("consent-unknown")
    if known.ended_by is not None:
        return _refused("consent-ended")
    consent = known.consent
    if consent.device != header.device or header.seal.application_group not in consent.application_groups:
        return _refused("consent-wider")
    if _is_narrower(terms, consent):
        return _refused("consent-narrowed")
    return Allowed(because=("consent",))


def covers(
    presentation: LeasePresentation,
    header: SegmentHeader,
    *,
    known: KnownConsent,
    documents: Mapping[str, ProgrammeDocument],
    tolerance: int,
    now: int,
) -> Decision:
    """Return whether the stretch was recorded with permission, every second of it.

    Args:
        presentation: what the device shows; its signature was verified.
        header: the verified header of the same segment.
        known: the consent that the header names.
        documents: every programme document that is or was in force, by hash.
        tolerance: how many seconds clocks may differ by.
        now: the time.
    """
    if presentation.segment != header.seal.segment:
        return _refused("lease-mismatch")
    if lease_root(presentation.salt, presentation.coverage) != header.lease_root:
        return _refused("lease-mismatch")
    begin, end = presentation.started_at, max(presentation.ended_at, presentation.started_at + 1)
    if presentation.ended_at < begin or end > now + tolerance + 1:
        return _refused("lease-stretch")
    if known.in_force_at > begin + tolerance:
        return _refused("consent-not-yet")
    try:
        leases = [_lease(signed, header, known.consent, documents) for signed in presentation.coverage.leases]
        statements = [
            _statement(presented.statement, header.seal.programme, documents)
            for presented in presentation.coverage.statements
        ]
    except (FormatError, SignatureError):
        return _refused("lease-mismatch")
    if not union_covers(
        ((lease.not_before - tolerance, lease.not_after + tolerance) for lease in leases), begin, end
    ):
        return _refused("lease-expired")
    if not union_covers(_reaches(statements, tolerance), begin, end):
        return _refused("statement-old")
    return Allowed(because=("leases", "statements"))


def union_covers(intervals: Iterable[Interval], begin: int, end: int) -> bool:
    """Return whether the intervals together hold every second from ``begin`` to before ``end``."""
    reached = begin
    for first, last in sorted(intervals):
        if reached >= end or first > reached:
            break
        reached = max(reached, last)
    return reached >= end


def _reaches(statements: Iterable[tuple[SwitchStatement, int]], tolerance: int) -> Iterator[Interval]:
    """Yield what each statement that lets capture go on covers; one that stops it covers nothing."""
    for statement, seconds in statements:
        if Activity.CAPTURE not in statement.off:
            yield statement.time - tolerance, statement.time + seconds + tolerance


def _is_narrower(terms: Terms, consent: Consent) -> bool:
    """Return whether the terms lack something that was agreed to."""
    groups = {group.name for group in terms.application_groups}
    return not (
        set(consent.purposes) <= set(terms.purposes)
        and set(consent.streams) <= set(terms.streams)
        and set(consent.application_groups) <= groups
    )


def _lease(
    signed: Signed, header: SegmentHeader, consent: Consent, documents: Mapping[str, ProgrammeDocument]
) -> Lease:
    """Return a lease of this device and consent, signed by the server of the document it names.

    Raises:
        FormatError: it is for something else, or longer than that document allows.
        SignatureError: it is not the server's.
    """
    lease = signed.verify(Lease)
    document = documents.get(lease.document)
    if document is None or signed.signers != {document.key_set.server}:
        raise SignatureError("a lease that is not this server's")
    if (lease.programme, lease.device, lease.consent) != (
        header.seal.programme,
        header.device,
        header.seal.consent,
    ):
        raise FormatError("a lease for another device or consent")
    if not set(lease.streams) <= set(consent.streams):
        raise FormatError("a lease for streams that were not consented to")
    if not 0 <= lease.not_after - lease.not_before <= document.delays.lease_seconds:
        raise FormatError("a lease that is longer than the programme allows")
    return lease


def _statement(
    signed: Signed, programme: str, documents: Mapping[str, ProgrammeDocument]
) -> tuple[SwitchStatement, int]:
    """Return a custodian's statement and for how many seconds it counts.

    Raises:
        FormatError: of another programme, or malformed.
        SignatureError: no custodian of any document signed it.
    """
    for document in documents.values():
        try:
            statement = verify_statement(document.key_set, programme, signed)
        except SignatureError:
            continue
        return statement, document.delays.statement_seconds
    raise SignatureError("a switch statement that is not a custodian's")


def _refused(reason: str) -> Refused:
    return Refused(reason=reason, hint=REASONS[reason])
