"""Release: gathering the facts of an admitted entry, and sealing the halves to the reader if the rules agree.

Rules

* Facts come from this custodian's own store: deposited headers, consents, standing, counts, switch. The
  broker brings the entry, its openings and the two signed documents, and none of it is believed unchecked.
* Nothing is released unless every rule agrees, and the halves leave only sealed to the ephemeral key of the
  signed request, bound to role, leaf hash and request hash, under the custodian's signature.
* The release is counted in the transaction that decides the entry, so it happens at most once per request
  and entry.

Example: ``release.release(pinned, entry, documents, now)`` is a signed ``ReleaseReply`` or ``Refused``.
"""

from collections.abc import Sequence
from typing import Final

from understudy.consent.decisions import Refused
from understudy.consent.primitives import encode_bytes
from understudy.custody.consents import Consents
from understudy.custody.deposits import Deposits
from understudy.custody.enrolments import Enrolments
from understudy.custody.entry import Entry
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.grant import GrantRevocation
from understudy.custody.head import ReleaseReply
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.mirror import Mirror
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.rules import Documents, Facts, Person, Piece, Rule, decide
from understudy.custody.store import store_signed
from understudy.custody.switchboard import Switchboard
from understudy.sealing.errors import HalfError, SealError
from understudy.sealing.header import SegmentHeader
from understudy.sealing.release import ReleaseContext, seal_halves
from understudy.sealing.signing import Signed, sign
from understudy.transparency.database import Database

CEILING_SECONDS: Final = 3_600


class Release:
    """Decides and performs releases; every method runs inside the caller's transaction."""

    def __init__(
        self,
        database: Database,
        keys: CustodianKeyPair,
        *,
        enrolments: Enrolments,
        consents: Consents,
        deposits: Deposits,
        mirror: Mirror,
        switchboard: Switchboard,
        rules: Sequence[Rule],
    ) -> None:
        self._database: Final = database
        self._keys: Final = keys
        self._enrolments: Final = enrolments
        self._consents: Final = consents
        self._deposits: Final = deposits
        self._mirror: Final = mirror
        self._switchboard: Final = switchboard
        self._rules: Final = rules

    def release(self, pinned: Pinned, entry: Entry, documents: Documents, now: int) -> Signed | Refused:
        """Return the signed ``ReleaseReply`` to an admitted, undecided entry, or why there is none.

        Raises:
            HalfError: a stored half does not open; the store is damaged.
        """
        headers = {segment: self._deposits.header(segment) for segment in entry.segments}
        decision = decide(self._facts(pinned, entry, documents, headers, now), self._rules)
        if isinstance(decision, Refused):
            return decision
        try:
            reply = self._reply(pinned, entry, documents, headers, now)
        except HalfError:
            raise
        except SealError:  # a public key that is no point of the curve; the request can never be answered
            reason = RefusalReason.BAD_DOCUMENT
            return Refused(reason=reason.value, hint=reason.hint)
        self._database.write(
            "INSERT INTO releases(request, position, grant_hash, segments, released_at)"
            " VALUES (?, ?, ?, ?, ?)",
            documents.request_hash,
            entry.index,
            documents.grant_hash,
            len(headers),
            now,
        )
        return reply

    def revoke(self, pinned: Pinned, signed: Signed) -> None:
        """End a grant early, on the word of any roster member.

        Raises:
            CustodyRefusedError: another programme, or nobody of the roster signed.
            SignatureError: a signature is wrong.
            FormatError: not a revocation.
        """
        revocation = signed.verify(GrantRevocation)
        if revocation.programme != pinned.document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        if not signed.signers & set(pinned.members):
            raise CustodyRefusedError(RefusalReason.REVOCATION_SIGNER)
        self._database.write(
            "INSERT OR IGNORE INTO revocations(grant_hash, revocation) VALUES (?, ?)",
            revocation.grant,
            store_signed(signed),
        )

    def _facts(
        self,
        pinned: Pinned,
        entry: Entry,
        documents: Documents,
        headers: dict[str, SegmentHeader | None],
        now: int,
    ) -> Facts:
        sql = "SELECT coalesce(sum(segments), 0) FROM releases WHERE grant_hash = ? AND released_at > ?"
        released = self._database.row(sql, documents.grant_hash, now - CEILING_SECONDS)
        return Facts(
            now=now,
            pinned=pinned,
            entry=entry,
            documents=documents,
            pieces=[
                self._piece(opening.tag, segment, headers[segment])
                for opening in entry.openings
                for segment in opening.segments
            ],
            people={opening.tag: self._person(opening.tag) for opening in entry.openings},
            off=self._switchboard.off(),
            queued=len(self._switchboard.queued()),
            is_forked=self._mirror.is_forked,
            is_revoked=self._has("SELECT 1 FROM revocations WHERE grant_hash = ?", documents.grant_hash),
            is_request_released=self._has("SELECT 1 FROM releases WHERE request = ?", documents.request_hash),
            released_this_hour=0 if released is None else int(released[0]),
        )

    def _piece(self, tag: str, segment: str, header: SegmentHeader | None) -> Piece:
        found = None if header is None else self._consents.find(header.seal.consent)
        return Piece(
            tag=tag,
            seal=None if header is None else header.seal,
            consent=None if found is None else found[0],
            is_withdrawn=found is not None and found[1],
            is_erased=self._deposits.is_erased(segment),
        )

    def _person(self, tag: str) -> Person:
        return Person(standing=self._consents.standing(tag), record=self._enrolments.of(tag))

    def _reply(
        self,
        pinned: Pinned,
        entry: Entry,
        documents: Documents,
        headers: dict[str, SegmentHeader | None],
        now: int,
    ) -> Signed:
        """Return this custodian's halves, sealed to the reader and signed."""
        halves = {}
        try:
            for segment, header in headers.items():
                if header is None:
                    raise CustodyRefusedError(RefusalReason.UNKNOWN_SEGMENT)
                halves[segment] = self._deposits.half(pinned, header)
            context = ReleaseContext(role=pinned.role, leaf=entry.hash, request=documents.request_hash)
            sealed = seal_halves(context, halves, documents.reader)
        finally:
            for half in halves.values():
                half.wipe()
        return sign(
            ReleaseReply(
                role=pinned.role,
                leaf=entry.hash,
                request=documents.request_hash,
                reader_key=entry.leaf.reader_key,
                sealed=encode_bytes(sealed),
                time=now,
            ),
            self._keys.signing,
        )

    def _has(self, sql: str, cell: str) -> bool:
        return self._database.row(sql, cell) is not None
