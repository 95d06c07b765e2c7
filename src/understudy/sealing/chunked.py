"""C2SP chunked encryption, instance Cobblestone-256 (SHA-512, AES-256-GCM): c2sp.org/chunked-encryption@v1.

Rules

* A ciphertext is salt (24 bytes) ‖ commitment (32) ‖ chunks. Each chunk is 16 KiB of plaintext and a 16-byte
  tag; the last one is shorter, possibly empty, and that is how truncation shows.
* The commitment is checked before any chunk is decrypted: one ciphertext has one key.
* The salt is drawn inside: nobody can choose or repeat one. A ``ChunkKey`` may encrypt several messages.
* Whole messages go through the library's own implementation. Only random access is written here, because the
  library has none; the tests hold the two against each other.
* A reader that has met a wrong chunk keeps failing. Plaintext is handed out only after its chunk verified.

Example

>>> import io
>>> from understudy.sealing.info import ChunkContext
>>> key = ChunkKey.generate()
>>> sealed = encrypt(key, ChunkContext(b"about this message"), b"x" * 50_000)
>>> reader = ChunkReader(io.BytesIO(sealed), key, ChunkContext(b"about this message"))
>>> reader.seek(49_998), reader.read()
(49998, b'xx')
"""

import io
import secrets
from hmac import compare_digest
from typing import BinaryIO, Final, Self

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from understudy.sealing.canonical import Octets
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.info import ChunkContext

KEY_BYTES: Final = 32
CHUNK_BYTES: Final = 16_384
TAG_BYTES: Final = 16
SALT_BYTES: Final = 24
COMMITMENT_BYTES: Final = 32
PREFIX_BYTES: Final = SALT_BYTES + COMMITMENT_BYTES
MAX_CHUNKS: Final = 1 << 38

_SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
_RUN_CHUNKS: Final = 64  # read from the source at once: 1 MiB
_NONCE_BYTES: Final = 12
_LABEL: Final = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


class ChunkKey:
    """A 32-byte input key. ``wipe`` overwrites it, and then it serves no more; ``repr`` shows nothing."""

    __slots__ = ("_raw", "_wiped")

    def __init__(self, raw: bytes | bytearray) -> None:
        """Take over ``raw``; a ``bytearray`` is kept, not copied, so that ``wipe`` overwrites it.

        Raises:
            FormatError: not 32 bytes.
        """
        if len(raw) != KEY_BYTES:
            raise FormatError(f"a chunk key has {KEY_BYTES} bytes")
        self._raw = raw if isinstance(raw, bytearray) else bytearray(raw)
        self._wiped = False

    @classmethod
    def generate(cls) -> "ChunkKey":
        """Return a fresh key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def raw(self) -> bytearray:
        """The 32 bytes; secret.

        Raises:
            SealError: the key was wiped.
        """
        if self._wiped:
            raise SealError("the key was wiped")
        return self._raw

    def wipe(self) -> None:
        """Overwrite the key with zeros; what OpenSSL and Python copied elsewhere is out of reach."""
        self._raw[:] = bytes(KEY_BYTES)
        self._wiped = True

    def __repr__(self) -> str:
        return "ChunkKey()"


def ciphertext_bytes(plaintext_bytes: int) -> int:
    """Return the length of the ciphertext of ``plaintext_bytes`` of plaintext."""
    chunks = plaintext_bytes // CHUNK_BYTES + 1
    return PREFIX_BYTES + plaintext_bytes + chunks * TAG_BYTES


def plaintext_bytes(ciphertext_bytes: int) -> int:
    """Return the length of the plaintext in ``ciphertext_bytes`` of ciphertext.

    Raises:
        SealError: no message has a ciphertext of that length; it was truncated or extended.
    """
    full, rest = divmod(ciphertext_bytes - PREFIX_BYTES, _SEALED_CHUNK_BYTES)
    if ciphertext_bytes < PREFIX_BYTES + TAG_BYTES or rest < TAG_BYTES or full >= MAX_CHUNKS:
        raise SealError("the ciphertext is truncated, or not of a possible length")
    return full * CHUNK_BYTES + rest - TAG_BYTES


def encrypt(key: ChunkKey, context: ChunkContext, *parts: Octets) -> bytes:
    """Return the ciphertext of the concatenation of ``parts``, without building it first."""
    length = sum(len(part) for part in parts)
    total = ciphertext_bytes(length)
    buffer = _buffer(total)
    encryptor = Cobblestone256Encryptor(key.raw, context)
    with buffer.getbuffer() as out:
        at = 0
        for part in parts:
            at += encryptor.update_into(part, out[at:])
        out[at:] = encryptor.finalize()
    return buffer.getvalue()


def decrypt(key: ChunkKey, context: ChunkContext, ciphertext: Octets) -> bytearray:
    """Return the whole plaintext; its owner may overwrite it.

    Raises:
        SealError: another key or context, or the ciphertext was altered, truncated or extended.
    """
    out = bytearray(plaintext_bytes(len(ciphertext)))
    decryptor = Cobblestone256Decryptor(key.raw, context)
    try:
        at = decryptor.update_into(ciphertext, out)
        out[at:] = decryptor.finalize()
    except InvalidTag as error:
        raise SealError("wrong key or context, or the ciphertext was altered") from error
    return out


class ChunkWriter:
    """Encrypts what is written to it into ``sink``; memory stays constant.

    The message is complete after ``close``. Left without ``close``, or through a ``with`` block by an
    exception, the ciphertext lacks its last chunk and no reader accepts it.
    """

    def __init__(self, sink: BinaryIO, key: ChunkKey, context: ChunkContext) -> None:
        self._sink = sink
        self._encryptor: Cobblestone256Encryptor | None = Cobblestone256Encryptor(key.raw, context)

    def write(self, plaintext: Octets) -> int:
        """Encrypt ``plaintext`` and return its length.

        Raises:
            SealError: the writer is closed.
        """
        if self._encryptor is None:
            raise SealError("the sealed stream is closed")
        self._sink.write(self._encryptor.update(plaintext))
        return len(plaintext)

    def close(self) -> None:
        """Write the last chunk; the sink stays open. Closing twice does nothing."""
        if self._encryptor is not None:
            self._sink.write(self._encryptor.finalize())
            self._encryptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.close()
        self._encryptor = None


class ChunkReader(io.RawIOBase):
    """Reads any stretch of a ciphertext, decrypting only the chunks it touches.

    Opening it checks key commitment and length: the last chunk is decrypted at once, so a truncated or
    extended ciphertext is refused before the first byte is read.
    """

    def __init__(self, source: BinaryIO, key: ChunkKey, context: ChunkContext, *, start: int = 0) -> None:
        """Open the ciphertext that begins at ``start`` in the seekable ``source`` and ends with it.

        Raises:
            SealError: wrong key or context, or the length or the last chunk is wrong.
        """
        super().__init__()
        self._source = source
        self._start = start
        self._at = 0
        self._cached = -1
        self._cache = memoryview(bytearray())
        self._broken = False
        self._sealed_bytes = source.seek(0, io.SEEK_END) - start
        self._length = plaintext_bytes(self._sealed_bytes)
        head = self._fetch(0, PREFIX_BYTES)
        derived = _derive(key, context, head[:SALT_BYTES])
        with memoryview(derived) as parts:
            if not compare_digest(parts[-COMMITMENT_BYTES:], head[SALT_BYTES:]):
                raise SealError("the ciphertext is not under this key and context")
            self._cipher = AESGCM(parts[:KEY_BYTES])
            self._base_nonce = int.from_bytes(parts[KEY_BYTES:-COMMITMENT_BYTES], "big")
            parts[:] = bytes(len(parts))
        self._chunk(self._length // CHUNK_BYTES)

    @property
    def length(self) -> int:
        """Plaintext bytes, authenticated."""
        return self._length

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def seekable(self) -> bool:
        """Return ``True``."""
        return True

    def tell(self) -> int:
        """Return the position in the plaintext."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to ``offset`` in the plaintext; beyond the end nothing is read.

        Raises:
            FormatError: the position is negative, or ``whence`` is unknown.
        """
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}
        if whence not in origins or origins[whence] + offset < 0:
            raise FormatError("no such position in a sealed stream")
        self._at = origins[whence] + offset
        return self._at

    def readinto(self, target: object) -> int:
        """Fill ``target`` with plaintext and return how many bytes were written; 0 at the end.

        Raises:
            SealError: a chunk was altered; every later read fails as well.
        """
        if self._broken:
            raise SealError("the ciphertext was altered, or the reader is closed")
        written = 0
        with memoryview(target).cast("B") as out:  # type: ignore[arg-type]
            wanted = min(len(out), max(self._length - self._at, 0))
            while written < wanted:
                index, offset = divmod(self._at, CHUNK_BYTES)
                if offset == 0 and wanted - written >= CHUNK_BYTES:
                    step = min((wanted - written) // CHUNK_BYTES, _RUN_CHUNKS) * CHUNK_BYTES
                    self._decrypt(index, out[written : written + step])
                else:
                    chunk = self._chunk(index)
                    step = min(wanted - written, len(chunk) - offset)
                    out[written : written + step] = chunk[offset : offset + step]
                written += step
                self._at += step
        return written

    def readall(self) -> bytes:
        """Return everything from the position to the end.

        Raises:
            SealError: a chunk was altered.
        """
        buffer = _buffer(max(self._length - self._at, 0))
        with buffer.getbuffer() as out:
            self.readinto(out)
        return buffer.getvalue()

    def close(self) -> None:
        """Forget the cached plaintext; the source stays open."""
        self._broken = True
        self._cache[:] = bytes(len(self._cache))
        super().close()

    def _chunk(self, index: int) -> memoryview:
        if index != self._cached:
            size = min(CHUNK_BYTES, self._length - index * CHUNK_BYTES)
            fresh = memoryview(bytearray(size))
            self._decrypt(index, fresh)
            self._cached, self._cache = index, fresh
        return self._cache

    def _decrypt(self, first: int, out: memoryview) -> None:
        """Fill ``out`` from chunk ``first`` on: with whole chunks, or with a single shorter one."""
        count = max(1, len(out) // CHUNK_BYTES)
        sealed = memoryview(
            self._fetch(PREFIX_BYTES + first * _SEALED_CHUNK_BYTES, len(out) + count * TAG_BYTES)
        )
        for index in range(count):
            chunk = sealed[index * _SEALED_CHUNK_BYTES : (index + 1) * _SEALED_CHUNK_BYTES]
            target = out[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]
            try:
                nonce = _nonce(self._base_nonce, first + index)
                self._cipher.decrypt_into(nonce, chunk, None, target)
            except InvalidTag as error:
                self._broken = True
                target[:] = bytes(len(target))  # decryption runs ahead of the tag check
                raise SealError(f"chunk {first + index} was altered") from error

    def _fetch(self, at: int, size: int) -> bytes:
        self._source.seek(self._start + at)
        parts: list[bytes] = []
        missing = size
        while missing:
            part = self._source.read(missing)
            if not part:
                self._broken = True
                raise SealError("the ciphertext ends early")
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _derive(key: ChunkKey, context: ChunkContext, salt: bytes) -> bytearray:
    """Return key (32) ‖ base nonce (12) ‖ commitment (32): HKDF-Expand with SHA-512."""
    out = bytearray(KEY_BYTES + _NONCE_BYTES + COMMITMENT_BYTES)
    HKDFExpand(SHA512(), len(out), _LABEL + salt + context).derive_into(key.raw, out)
    return out


def _nonce(base_nonce: int, index: int) -> bytes:
    """Return the 12-byte nonce of chunk ``index``: the base nonce XOR the big-endian counter."""
    return (base_nonce ^ index).to_bytes(_NONCE_BYTES, "big")


def _buffer(size: int) -> io.BytesIO:
    """Return a buffer of ``size`` zeros whose ``getvalue`` gives its bytes without a copy.

    On large messages one more copy of the result costs more than the encryption.
    """
    buffer = io.BytesIO()
    if size:
        buffer.seek(size - 1)
        buffer.write(b"\x00")
    return buffer
