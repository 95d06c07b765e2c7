"""Disclosure: the sealed openings and heads that a custodian shows to those they concern.

Rules

* The request is signed, in this minute, by the personal key of the tag or by the auditor of the key set.
* An entry that is still undecided is shown as ``admitted``; nothing was released by the time in that
  outcome.
* A page holds at most 512 KiB of sealed openings, 200 of them at most, and at least one.
* Heads are signed for whoever asks: a tag names nobody, and comparing heads is how a lie is found. The head
  of a page names the request that the page answers.

Example: ``disclosure.page(pinned, request, tree_size, now)``.
"""

from typing import Final

from understudy.consent.primitives import encode_bytes
from understudy.custody.admission import Admission
from understudy.custody.enrolments import Enrolments
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.head import Head, SealedOpening
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.openings import OpeningsAnswer, OpeningsRequest
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.store import load_signed
from understudy.sealing.signing import Signed, sign
from understudy.transparency.database import Database

PAGE_BYTES: Final = 512 << 10
PAGE_OPENINGS: Final = 200


class Disclosure:
    """Answers for heads and openings; every method runs inside the caller's transaction."""

    def __init__(
        self, database: Database, keys: CustodianKeyPair, enrolments: Enrolments, admission: Admission
    ) -> None:
        self._database: Final = database
        self._keys: Final = keys
        self._enrolments: Final = enrolments
        self._admission: Final = admission

    def head(self, pinned: Pinned, tag: str, tree_size: int, now: int, *, asked: str | None = None) -> Signed:
        """Return the participant's signed ``Head``; ``asked`` is the hash of the request it answers.

        Raises:
            ParticipantNotFoundError: the tag is not enrolled here.
        """
        n, commitment = self._admission.head(tag)
        return sign(
            Head(
                programme=pinned.document.programme,
                tag=tag,
                custodian=self._keys.name,
                epoch=self._keys.epoch,
                n=n,
                commitment=commitment,
                tree_size=tree_size,
                asked=asked,
                time=now,
            ),
            self._keys.signing,
        )

    def page(self, pinned: Pinned, signed: Signed, tree_size: int, now: int) -> OpeningsAnswer:
        """Return the sealed openings after the number that the signed ``OpeningsRequest`` names.

        Raises:
            CustodyRefusedError: another programme, another signer, an old request, or not enrolled.
            SignatureError: the signature is wrong.
            FormatError: not an ``OpeningsRequest``.
        """
        request = signed.verify(OpeningsRequest)
        document = pinned.document
        if request.programme != document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        delays = document.delays
        if abs(now - request.time) > delays.cosignature_seconds + delays.clock_skew_seconds:
            raise CustodyRefusedError(RefusalReason.CLOCK)
        record = self._enrolments.of(request.tag)
        key = record.personal_signing if request.reader == "participant" else document.key_set.auditor.signing
        if signed.signers != {key}:
            raise CustodyRefusedError(RefusalReason.OPENINGS_READER)
        return OpeningsAnswer(
            openings=tuple(self._openings(pinned, request, now)),
            head=self.head(pinned, request.tag, tree_size, now, asked=signed.hash(OpeningsRequest)),
        )

    def _openings(self, pinned: Pinned, request: OpeningsRequest, now: int) -> list[SealedOpening]:
        rows = self._database.rows(
            "SELECT n, CASE ? WHEN 'participant' THEN for_participant ELSE for_auditor END, outcome"
            " FROM numbers WHERE tag = ? AND n > ? ORDER BY n LIMIT ?",
            request.reader,
            request.tag,
            request.after,
            PAGE_OPENINGS,
        )
        page: list[SealedOpening] = []
        filled = 0
        for n, sealed, outcome in rows:
            filled += len(sealed)
            if page and filled > PAGE_BYTES:
                break
            address = self._admission.address(request.tag, n, request.reader)
            page.append(
                SealedOpening(
                    address=address,
                    sealed=encode_bytes(sealed),
                    outcome=self._admission.sign_outcome(pinned, request.tag, n, "admitted", "", now)
                    if outcome is None
                    else load_signed(outcome),
                )
            )
        return page
