"""The reader's side of the door: ask, check the entry, open the halves, open the segments.

Rules

* A fresh ephemeral key for every request; it lives in this call only.
* Nothing is decrypted before the entry is checked: the leaf is ours (grant, request and ephemeral key), it
  is in the tree of a checkpoint that the log signed and a quorum of witnesses cosigned, and both key
  holders signed their reply.
* Each half is checked against the commitment in the device-signed header, so a wrong half names the holder
  that sent it.

Example::

    reader = Reader(server, document, key, SystemClock())
    for segment, payload in reader.open(grant_hash, reason, entries):
        ...
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence

from understudy.client.errors import EntryError
from understudy.consent.clock import Clock
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import ReasonCode
from understudy.contract.messages import OpenAnswer, OpenCall, SegmentEntry
from understudy.contract.ports import ServerPort
from understudy.custody.grant import OpenRequest, segments_root
from understudy.custody.head import ReleaseReply
from understudy.sealing.canonical import octets
from understudy.sealing.half import Half
from understudy.sealing.header import verify_header
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.release import ReleaseContext, open_halves
from understudy.sealing.segment import open_segment
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.leaves import OpenLeaf, decode_leaf, leaf_digest
from understudy.transparency.merkle import leaf_hash, verify_inclusion
from understudy.transparency.trust import log_trust


class Reader:
    """Opens segments for one credential, through one server."""

    def __init__(
        self, server: ServerPort, document: ProgrammeDocument, key: SigningKey, clock: Clock
    ) -> None:
        self._server = server
        self._document = document
        self._key = key
        self._clock = clock
        self._trust = log_trust(document.key_set)
        self.credential = document_hash(Ed25519Credential(public_key=key.public))

    def open(
        self, grant: str, reason: ReasonCode, entries: Sequence[SegmentEntry]
    ) -> Iterator[tuple[str, bytes]]:
        """Yield (segment id, payload) for every entry, after one open for all of them.

        Args:
            grant: the hash of a grant in force that names this credential as a reader.
            reason: the structured reason, the grant's own.
            entries: at most 1,000 catalogue entries.

        Raises:
            RefusedError: the door or the custodian said no, with its reason.
            EntryError: the answer does not prove what it must.
            SealError: a half, a key or a ciphertext does not fit the device-signed header.
        """
        halves = self.obtain_halves(grant, reason, [entry.segment for entry in entries])
        for entry in entries:
            # Whose device it is, the custodian checked before it took the half. A header that anybody else
            # signed opens nothing: its ciphertext would need a half that only the device ever knew.
            header = verify_header(entry.header, entry.header.signers)
            half_p, half_c = halves[entry.segment]
            ciphertext = self._server.ciphertext(entry.segment, self._key, grant=grant)
            yield entry.segment, open_segment(header, ciphertext, half_p, half_c)

    def obtain_halves(
        self, grant: str, reason: ReasonCode, segments: Iterable[str]
    ) -> dict[str, tuple[Half, Half]]:
        """Return both halves of each segment's key, after checking the entry and both replies."""
        names = tuple(sorted(set(segments)))
        ephemeral = HpkePrivateKey.generate()
        request = sign(
            OpenRequest(
                programme=self._document.programme,
                grant=grant,
                credential=self.credential,
                segments_root=segments_root(names),
                segments=len(names),
                reader_key=ephemeral.public.text,
                reason=reason,
                nonce=encode_bytes(secrets.token_bytes(32)),
                not_after=self._clock.now() + self._document.delays.open_seconds,
            ),
            self._key,
        )
        answer = self._server.open(OpenCall(request=request, segments=names))
        self.check_entry(answer, grant, request, ephemeral.public.key_hash)
        leaf = leaf_digest(octets(answer.leaf))
        found: dict[str, dict[str, Half]] = {}
        for reply in self._verified_replies(answer, leaf, request.hash(OpenRequest)):
            bound = ReleaseContext(role=reply.role, leaf=leaf, request=reply.request)
            for segment, half in open_halves(bound, octets(reply.sealed), ephemeral).items():
                found.setdefault(segment, {})[reply.role] = half
        return {name: _both(name, found.get(name, {})) for name in names}

    def check_entry(
        self, answer: OpenAnswer, grant: str, request: Signed, reader_key: str
    ) -> CosignedCheckpoint:
        """Check that the answer's leaf is this request's, and that the witnessed log holds it.

        Raises:
            EntryError: the leaf is another one, or is not in the checkpoint's tree.
        """
        raw = octets(answer.leaf)
        leaf = decode_leaf(raw)
        if not isinstance(leaf, OpenLeaf) or (leaf.grant, leaf.request, leaf.reader_key, leaf.actor) != (
            grant,
            request.hash(OpenRequest),
            reader_key,
            self.credential,
        ):
            raise EntryError("the log entry is not for this request", hint="report this to the auditor")
        cosigned = self._trust.verify(octets(answer.checkpoint))
        verify_inclusion(
            leaf_hash(raw),
            answer.index,
            cosigned.checkpoint.size,
            [octets(step) for step in answer.path],
            cosigned.checkpoint.root,
        )
        return cosigned

    def _verified_replies(self, answer: OpenAnswer, leaf: str, request: str) -> Iterator[ReleaseReply]:
        """Yield the replies after checking who signed each: the server for p, a custodian for c."""
        keys = self._document.key_set
        signers = {"p": {keys.server}, "c": {custodian.signing for custodian in keys.custodians}}
        for signed in answer.replies:
            reply = signed.verify(ReleaseReply)
            if not signed.signers <= signers[reply.role[0]]:
                raise EntryError(f"the {reply.role} reply is not signed by its key holder")
            if (reply.leaf, reply.request) != (leaf, request):
                raise EntryError(f"the {reply.role} reply is for another entry")
            yield reply


def _both(segment: str, halves: dict[str, Half]) -> tuple[Half, Half]:
    """Return the halves of the two roles, or say whose is missing."""
    for role in ("p", "c"):
        if role not in halves:
            raise EntryError(f"no {role} half was released for {segment}")
    return halves["p"], halves["c"]
