r"""C2SP signed notes: a text, signature lines, and the keys that made them.

Rules

* A note is UTF-8 text ending in a newline, an empty line, then one to 64 signature lines. No control
  character but the newline; at most 64 KiB (C2SP signed-note).
* A signature line is ``— name base64(key id ‖ signature)``. Base64 is padded and canonical.
* Key id = SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]. Types here: 0x01, Ed25519 over the text; 0x04, an
  Ed25519 cosignature: eight bytes of time, then a signature over ``cosignature/v1``, that time and the text
  (C2SP tlog-cosignature). Other types are unknown keys and ignored.
* Signatures by unknown keys are ignored. A wrong signature by a *known* key makes the whole note worthless.

Example

>>> from understudy.sealing.signing import SigningKey
>>> key = SigningKey.generate()
>>> verifier = VerifierKey.log("example.com/log", key.public)
>>> note = Note(text=b"hello\n", signatures=(sign_text(b"hello\n", "example.com/log", key),))
>>> parse_note(note.to_bytes()).verified(verifier) == (0,)
True
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from understudy.sealing.canonical import octets
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import SigningKey, verify_note
from understudy.transparency.errors import MalformedError, UntrustedCheckpointError

MAX_NOTE_BYTES: Final = 65_536
MAX_NOTE_SIGNATURES: Final = 64
MAX_NAME_BYTES: Final = 255
ED25519: Final = 0x01
"""Signature type of a log's own signature (C2SP signed-note)."""
COSIGNATURE: Final = 0x04
"""Signature type of a witness's timestamped cosignature (C2SP tlog-cosignature)."""
MAX_TIME: Final = 2**63 - 1

_DASH: Final = "— ".encode()
_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
_PUBLIC_BYTES: Final = 32
_VKEY_PARTS: Final = 3
_CONTROL: Final = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_HEX_ID: Final = re.compile(r"[0-9a-f]{8}\Z")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: a key's name and id, and the bytes after the id."""

    name: str
    key_id: bytes
    signature: bytes

    def to_bytes(self) -> bytes:
        """Return the line, newline included."""
        return _DASH + self.name.encode() + b" " + base64.b64encode(self.key_id + self.signature) + b"\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures under it; nothing is verified yet."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """Return the note's bytes."""
        return self.text + b"\n" + b"".join(signature.to_bytes() for signature in self.signatures)

    def verified(self, key: "VerifierKey") -> tuple[int, ...]:
        """Return the time of each signature that ``key`` made: 0 for a log's, Unix time for a cosignature.

        Raises:
            UntrustedCheckpointError: a signature that claims to be by ``key`` does not verify.
        """
        return tuple(
            key.verify(self.text, signature.signature)
            for signature in self.signatures
            if signature.name == key.name and signature.key_id == key.key_id
        )


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key that notes are verified with: name, signature type and 32 public bytes."""

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.algorithm not in (ED25519, COSIGNATURE) or len(self.public) != _PUBLIC_BYTES:
            raise MalformedError("not an Ed25519 verifier key")

    @classmethod
    def log(cls, origin: str, public: str) -> "VerifierKey":
        """Return the key of a log, ``public`` as base64url; its name is the checkpoints' origin."""
        return cls(origin, ED25519, _public_bytes(public))

    @classmethod
    def witness(cls, name: str, public: str) -> "VerifierKey":
        """Return the key of a witness, ``public`` as base64url."""
        return cls(name, COSIGNATURE, _public_bytes(public))

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand in front of every signature by this key."""
        return _key_id(self.name, self.algorithm, self.public)

    @property
    def vkey(self) -> str:
        """The key as C2SP spells it: ``name+hex(id)+base64(type ‖ public key)``."""
        material = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def from_vkey(cls, text: str) -> "VerifierKey":
        """Return the key that a C2SP ``vkey`` spells.

        Raises:
            MalformedError: another shape, another algorithm, or an id that is not this key's.
        """
        parts = text.split("+", 2)
        if len(parts) != _VKEY_PARTS or not _HEX_ID.match(parts[1]):
            raise MalformedError("not a verifier key")
        material = decode_base64(parts[2])
        key = cls(parts[0], material[0] if material else 0, material[1:])
        if key.key_id.hex() != parts[1]:
            raise MalformedError("the verifier key's id is not that of its name and key")
        return key

    def verify(self, text: bytes, signature: bytes) -> int:
        """Check the bytes after the key id; return 0 for a log's signature, the Unix time for a cosignature.

        Raises:
            UntrustedCheckpointError: the signature does not verify.
        """
        time, message = 0, text
        if self.algorithm == COSIGNATURE:
            time = int.from_bytes(signature[:_TIME_BYTES], "big")
            signature, message = signature[_TIME_BYTES:], _cosigned(text, time)
        if len(signature) != _SIGNATURE_BYTES or time > MAX_TIME:
            raise UntrustedCheckpointError(f"a signature of {self.name} has the wrong shape")
        try:
            verify_note(self.public, message, signature)
        except SignatureError as error:
            raise UntrustedCheckpointError(f"a signature of {self.name} does not verify") from error
        return time


def sign_text(text: bytes, name: str, key: SigningKey) -> NoteSignature:
    """Return a log's signature over ``text``."""
    check_text(text)
    verifier = VerifierKey.log(name, key.public)
    return NoteSignature(name=name, key_id=verifier.key_id, signature=key.sign_note(text))


def cosign_text(text: bytes, name: str, key: SigningKey, time: int) -> NoteSignature:
    """Return a witness's cosignature over ``text`` at Unix ``time``, which must not be 0.

    Raises:
        MalformedError: the time does not fit, or ``text`` is no note text.
    """
    check_text(text)
    if not 0 < time <= MAX_TIME:
        raise MalformedError("a cosignature needs a time after 1970")
    verifier = VerifierKey.witness(name, key.public)
    signature = time.to_bytes(_TIME_BYTES, "big") + key.sign_note(_cosigned(text, time))
    return NoteSignature(name=name, key_id=verifier.key_id, signature=signature)


def parse_note(raw: bytes, *, limit: int = MAX_NOTE_BYTES) -> Note:
    """Return the note that ``raw`` spells; nothing is verified.

    Raises:
        MalformedError: too large, not UTF-8, a control character, no signature, or a bad line.
    """
    if len(raw) > limit:
        raise MalformedError(f"a note of {len(raw)} bytes is over the limit of {limit}")
    blank = raw.rfind(b"\n\n")
    if blank < 0:
        raise MalformedError("a note without an empty line before its signatures")
    text = raw[: blank + 1]
    check_text(text)
    return Note(text=text, signatures=parse_signatures(raw[blank + 2 :]))


def parse_signatures(raw: bytes) -> tuple[NoteSignature, ...]:
    """Return one to 64 signature lines: the end of a note, or a witness's answer.

    Raises:
        MalformedError: no line, too many, or a line of another shape.
    """
    if not raw.endswith(b"\n"):
        raise MalformedError("signature lines end in a newline")
    lines = raw[:-1].split(b"\n", MAX_NOTE_SIGNATURES)
    if len(lines) > MAX_NOTE_SIGNATURES:
        raise MalformedError(f"more than {MAX_NOTE_SIGNATURES} signatures")
    return tuple(_parse_line(line) for line in lines)


def check_text(text: bytes) -> None:
    """Check that ``text`` can stand in a note.

    Raises:
        MalformedError: not UTF-8, a control character, or no newline at the end.
    """
    if not text.endswith(b"\n") or _CONTROL.search(text):
        raise MalformedError("a note's text ends in a newline and holds no control characters")
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("a note's text is UTF-8") from error


def check_name(name: str) -> None:
    """Check that ``name`` can name a key.

    Raises:
        MalformedError: empty, too long, or with a space, plus or control character.
    """
    plain = name and "+" not in name and not any(letter.isspace() or letter < " " for letter in name)
    if not plain or len(name.encode(errors="replace")) > MAX_NAME_BYTES:
        raise MalformedError("a key name is 1 to 255 bytes without spaces, plus signs and control characters")


def decode_base64(text: str | bytes) -> bytes:
    """Return the bytes of padded, canonical, standard base64.

    Raises:
        MalformedError: another spelling.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("not base64") from error
    if base64.b64encode(raw) != (text if isinstance(text, bytes) else text.encode()):
        raise MalformedError("not canonical base64")
    return raw


def _parse_line(line: bytes) -> NoteSignature:
    if not line.startswith(_DASH):
        raise MalformedError("a signature line starts with an em dash and a space")
    try:
        name, _, encoded = line[len(_DASH) :].decode().partition(" ")
    except UnicodeDecodeError as error:
        raise MalformedError("a signature line is UTF-8") from error
    check_name(name)
    raw = decode_base64(encoded)
    if len(raw) <= _KEY_ID_BYTES:
        raise MalformedError("a signature line without a signature")
    return NoteSignature(name=name, key_id=raw[:_KEY_ID_BYTES], signature=raw[_KEY_ID_BYTES:])


def _cosigned(text: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % time + text


def _key_id(name: str, algorithm: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:_KEY_ID_BYTES]


def _public_bytes(public: str) -> bytes:
    try:
        return octets(public)
    except FormatError as error:
        raise MalformedError("not an Ed25519 public key") from error
