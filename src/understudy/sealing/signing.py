"""Ed25519 signatures (RFC 8032) over canonical documents, bound to a context.

Rules

* A type that is signed is a ``Document``: it names its own context, so a caller can neither choose a wrong
  one nor forget it.
* What is signed is ``context ‖ 0x00 ‖ body``; ``body`` is the exact bytes that travel in ``Signed``.
* Verify first, over the bytes received; decode afterwards.
* ``Signed.verify`` demands that *every* attached signature is right and that every required key signed.
  A document with one bad signature among good ones is refused whole.

Example

>>> key = SigningKey.generate()
>>> len(key.public)
43
"""

from collections.abc import Iterable
from typing import Annotated, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Bytes, Document, PublicKey, SignatureBytes, Value, encode_bytes
from understudy.sealing.canonical import canonical, digest, octets, parse, prefix
from understudy.sealing.errors import FormatError, SignatureError

__all__ = [
    "Document",
    "Signature",
    "Signed",
    "SigningKey",
    "document_hash",
    "sign",
    "verify_bytes",
    "verify_note",
]

MAX_SIGNATURES = 64
SEED_BYTES = 32

D = TypeVar("D", bound=Document)


class Signature(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signature and the public key it is by."""

    key: PublicKey
    signature: SignatureBytes


class Signed(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The exact bytes of a document, and signatures over them."""

    body: Bytes
    signatures: Annotated[tuple[Signature, ...], Meta(max_length=MAX_SIGNATURES)]

    @property
    def raw(self) -> bytes:
        """The document's canonical bytes."""
        return octets(self.body)

    @property
    def signers(self) -> frozenset[str]:
        """The public keys that claim to have signed; trust them only after ``verify``."""
        return frozenset(signature.key for signature in self.signatures)

    def hash(self, kind: type[Document]) -> str:
        """Return the digest of the body under ``kind``'s context; signatures do not count."""
        return digest(kind.CONTEXT, self.raw)

    def verify(self, kind: type[D], required: Iterable[str] = ()) -> D:
        """Return the document, after checking every signature on it.

        Args:
            kind: the document type; its context is what the signatures must cover.
            required: public keys that must be among the signers.

        Raises:
            SignatureError: no signature, a wrong one, one key twice, or a required key missing.
            FormatError: the body is not a canonical ``kind``.
        """
        keys = [signature.key for signature in self.signatures]
        if not keys:
            raise SignatureError(f"a {kind.__name__} without a signature")
        if len(set(keys)) != len(keys):
            raise SignatureError(f"a {kind.__name__} signed twice by one key")
        missing = set(required) - set(keys)
        if missing:
            raise SignatureError(f"a {kind.__name__} lacks {len(missing)} required signature(s)")
        raw = self.raw
        for signature in self.signatures:
            verify_bytes(signature.key, kind.CONTEXT, raw, signature.signature)
        return parse(kind, raw)

    def with_signature(self, kind: type[Document], key: "SigningKey") -> "Signed":
        """Return a copy that ``key`` has signed too; unchanged if it had already."""
        if key.public in self.signers:
            return self
        added = Signature(key=key.public, signature=key.sign_bytes(kind.CONTEXT, self.raw))
        return Signed(body=self.body, signatures=(*self.signatures, added))


class SigningKey:
    """An Ed25519 private key. Its ``repr`` shows nothing."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public: str = encode_bytes(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Return the key of a 32-byte seed.

        Raises:
            FormatError: the seed is not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise FormatError(f"an Ed25519 seed has {SEED_BYTES} bytes")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def seed(self) -> bytes:
        """The 32-byte seed; secret."""
        return self._key.private_bytes_raw()

    def sign_bytes(self, context: Context, body: bytes) -> str:
        """Return the signature over ``context ‖ 0x00 ‖ body``."""
        return encode_bytes(self._key.sign(prefix(context) + body))

    def sign_note(self, text: bytes) -> bytes:
        """Return the bare signature over ``text`` for a C2SP signed note, 64 bytes.

        Notes separate domains by their own first line; a key used for notes signs nothing else.
        """
        return self._key.sign(text)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public!r})"


def sign(value: Document, *keys: SigningKey) -> Signed:
    """Return ``value`` signed by every one of ``keys``, each under the value's own context."""
    body = canonical(value)
    return Signed(
        body=encode_bytes(body),
        signatures=tuple(
            Signature(key=key.public, signature=key.sign_bytes(value.CONTEXT, body)) for key in keys
        ),
    )


def document_hash(value: Document) -> str:
    """Return the digest of the document's canonical bytes under its context."""
    return digest(value.CONTEXT, canonical(value))


def verify_bytes(public: str, context: Context, body: bytes, signature: str) -> None:
    """Check one signature over ``context ‖ 0x00 ‖ body``.

    Raises:
        SignatureError: the key is not a key, or the signature does not verify.
    """
    verify_note(octets(public), prefix(context) + body, octets(signature))


def verify_note(public: bytes, text: bytes, signature: bytes) -> None:
    """Check a bare Ed25519 signature over ``text``.

    Raises:
        SignatureError: the key is not a key, or the signature does not verify.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except (InvalidSignature, ValueError) as error:
        raise SignatureError("the signature does not verify") from error
