"""The programme document as a file that goes round: read, signed by one party, checked before it is pinned.

Rules

* A party signs only a document that names its own keys, as it holds them, and whose rules hold.
* Signing twice changes nothing. Signatures of several copies of the same document can be merged.
* The fingerprint is the document's hash in groups of four: what people read to each other over another
  channel.

Example

>>> fingerprint("A" * 43)
'AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAAA AAA'
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.programme.document import required_signers
from understudy.programme.rules import check_document
from understudy.sealing.canonical import MAX_DOCUMENT_BYTES, canonical, parse
from understudy.sealing.durable import durable_write
from understudy.sealing.errors import FormatError
from understudy.sealing.signing import Signed, SigningKey
from understudy.web.errors import CeremonyError, HomeError
from understudy.web.home import CustodianParty, PartyKeys, ServerParty

DOCUMENT_FILE: Final = "document.json"
_GROUP: Final = 4


def fingerprint(digest: str) -> str:
    """Return a digest as people read it aloud."""
    return " ".join(digest[at : at + _GROUP] for at in range(0, len(digest), _GROUP))


def read_document(path: Path) -> Signed:
    """Return the document in a file, with the signatures it has so far; none of them is checked.

    Raises:
        HomeError: there is no such file.
        FormatError: it is no programme document.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise HomeError(f"cannot read {path}: {error.strerror}") from error
    if len(raw) > 2 * MAX_DOCUMENT_BYTES:
        raise FormatError(f"{path} is too large for a programme document")
    try:
        signed = msgspec.json.decode(raw, type=Signed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is no signed document") from error
    parse(ProgrammeDocument, signed.raw)
    return signed


def write_document(path: Path, signed: Signed) -> None:
    """Write the document to a file, replacing an earlier copy durably."""
    durable_write(path, canonical(signed), exclusive=False)


def unsigned(document: ProgrammeDocument) -> Signed:
    """Return a document that nobody has signed yet."""
    return Signed(body=encode_bytes(canonical(document)), signatures=())


def sign_as_party(signed: Signed, own: PartyKeys, keys: Iterable[SigningKey]) -> Signed:
    """Return the document signed by a party that finds its own keys in it.

    Raises:
        CeremonyError: it breaks a rule, or does not name these keys.
    """
    document = parse(ProgrammeDocument, signed.raw)
    named = document.key_set
    if isinstance(own, ServerParty):
        is_in = (own.server, own.escrow_issuer, own.log) == (named.server, named.escrow_issuer, named.log)
    elif isinstance(own, CustodianParty):
        is_in = own.keys in named.custodians
    else:
        is_in = own.keys in named.witnesses
    if not is_in:
        raise CeremonyError("not-in-key-set", hint="assemble the document from this party's own public.json")
    return sign_as_member(signed, keys)


def sign_as_member(signed: Signed, keys: Iterable[SigningKey]) -> Signed:
    """Return the document signed by people whose keys it names.

    Raises:
        CeremonyError: it breaks a rule, or one of the keys has no duty in it.
    """
    document = parse(ProgrammeDocument, signed.raw)
    problems = check_document(document)
    if problems:
        raise CeremonyError("document-rules", message="; ".join(problems))
    for key in keys:
        if key.public not in required_signers(document):
            raise CeremonyError("no-duty", hint="only keys that the document names sign it")
        signed = signed.with_signature(ProgrammeDocument, key)
    return signed


def merge(copies: Iterable[Signed]) -> Signed:
    """Return one document with the signatures of all ``copies``.

    Raises:
        CeremonyError: the copies are of different documents.
        SignatureError: a signature is wrong.
    """
    first, *others = copies
    found = {signature.key: signature for signature in first.signatures}
    for other in others:
        if other.body != first.body:
            raise CeremonyError("other-document", hint="everybody signs the same document")
        found.update({signature.key: signature for signature in other.signatures})
    merged = Signed(body=first.body, signatures=tuple(found.values()))
    if found:
        merged.verify(ProgrammeDocument)
    return merged
