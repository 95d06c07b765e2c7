"""Private keys on disk: one small file each, for its owner's eyes only.

Rules

* A key file is canonical JSON, mode 0600, in a folder of mode 0700, owned by whoever runs the program.
  Anything laxer, and any symbolic link, is refused before a byte is used.
* It is written durably and never replaced: making a key where one stands is an error.
* With a passphrase, the secret is encrypted by AES-256-GCM under scrypt (RFC 7914; N = 2**17, r = 8, p = 1:
  128 MiB) and bound to everything else in the file. The parameters are part of the version.
* Without one, the file says ``"protection":"none"``, and whoever makes or loads such a key says so
  (``protection_of``).
* A public key stands beside the secret and is checked against it.

Example: ``create_signing(folder / "steward.key", passphrase="…")``, later ``load_signing(…)``.
"""

import os
import secrets
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Digest, Value, encode_bytes
from understudy.sealing.aead import Box, box_for, open_box
from understudy.sealing.canonical import canonical, octets, parse
from understudy.sealing.durable import durable_write, private_folder
from understudy.sealing.errors import AlreadyWrittenError, FormatError, KeyFileError, SealError
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import info_for
from understudy.sealing.personal import PersonalSeed
from understudy.sealing.shred import ShredKey
from understudy.sealing.signing import SigningKey

OWN_FOLDER: Final = "keep keys in a folder of their own that only you can open (mkdir -m 700)"
MAX_FILE_BYTES: Final = 8_192
SCRYPT_N: Final = 1 << 17
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1
SALT_BYTES: Final = 16

Kind = Literal["signing", "hpke", "personal", "shred"]
Salt = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]$(?!\n)")]
Protection = Literal["none", "passphrase"]
K = TypeVar("K", SigningKey, HpkePrivateKey, PersonalSeed, ShredKey)


class KeyFileInfo(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an encrypted secret is bound to: the rest of its file."""

    version: Literal[1] = 1
    kind: Kind
    public: Digest
    salt: Salt


class BareSecret(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="none", tag_field="protection"
):
    """A secret that anyone who can read the file can use."""

    key: Digest


class LockedSecret(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="passphrase", tag_field="protection"
):
    """A secret that needs a passphrase."""

    salt: Salt
    box: Box


class KeyFile(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: 32 secret bytes, and 32 public bytes that name the key."""

    version: Literal[1] = 1
    kind: Kind
    public: Digest
    secret: BareSecret | LockedSecret


def create_signing(path: Path, *, passphrase: str | None = None, key: SigningKey | None = None) -> SigningKey:
    """Write ``key``, or a fresh one, to ``path`` and return it; errors as for every ``create_``.

    Raises:
        KeyFileError: a file stands there, the folder is open to others, or the passphrase is empty.
        DurabilityError: the file did not reach the disk.
    """
    return _create(path, "signing", key or SigningKey.generate(), passphrase)


def load_signing(path: Path, *, passphrase: str | None = None) -> SigningKey:
    """Return the signing key in ``path``; errors as for every ``load_``.

    Raises:
        KeyFileError: missing, readable by others, damaged, another kind of key, or a wrong passphrase.
    """
    return _load(path, "signing", SigningKey.from_seed, passphrase)


def create_hpke(
    path: Path, *, passphrase: str | None = None, key: HpkePrivateKey | None = None
) -> HpkePrivateKey:
    """Write ``key``, or a fresh one, to ``path`` and return it."""
    return _create(path, "hpke", key or HpkePrivateKey.generate(), passphrase)


def load_hpke(path: Path, *, passphrase: str | None = None) -> HpkePrivateKey:
    """Return the HPKE key in ``path``."""
    return _load(path, "hpke", HpkePrivateKey.from_seed, passphrase)


def create_personal(
    path: Path, *, passphrase: str | None = None, key: PersonalSeed | None = None
) -> PersonalSeed:
    """Write ``key``, or a fresh personal seed, to ``path`` and return it."""
    return _create(path, "personal", key or PersonalSeed.generate(), passphrase)


def load_personal(path: Path, *, passphrase: str | None = None) -> PersonalSeed:
    """Return the personal seed in ``path``."""
    return _load(path, "personal", PersonalSeed, passphrase)


def create_shred(path: Path, *, passphrase: str | None = None, key: ShredKey | None = None) -> ShredKey:
    """Write ``key``, or a fresh shred key, to ``path`` and return it."""
    return _create(path, "shred", key or ShredKey.generate(), passphrase)


def load_shred(path: Path, *, passphrase: str | None = None) -> ShredKey:
    """Return the shred key in ``path``."""
    return _load(path, "shred", ShredKey, passphrase)


def protection_of(path: Path) -> Protection:
    """Return how the secret in ``path`` is protected; callers announce ``none``.

    Raises:
        KeyFileError: missing, readable by others, or damaged.
    """
    return "none" if isinstance(_read(path).secret, BareSecret) else "passphrase"


def _create(path: Path, kind: Kind, key: K, passphrase: str | None) -> K:
    public, secret = _public(key), _secret(key)
    private_folder(path.parent)
    _check_private(path.parent.stat(), path.parent, OWN_FOLDER)
    kept: BareSecret | LockedSecret
    if passphrase is None:
        kept = BareSecret(key=encode_bytes(secret))
    else:
        salt = encode_bytes(secrets.token_bytes(SALT_BYTES))
        info = info_for(Context.KEY_FILE, KeyFileInfo(kind=kind, public=public, salt=salt))
        kept = LockedSecret(salt=salt, box=box_for(_stretch(passphrase, salt), info, secret))
    try:
        durable_write(path, canonical(KeyFile(kind=kind, public=public, secret=kept)))
    except AlreadyWrittenError as error:
        raise KeyFileError(
            f"{path} exists already", hint="a key file is never replaced: move it away first"
        ) from error
    return key


def _load(path: Path, kind: Kind, build: Callable[[bytes], K], passphrase: str | None) -> K:
    file = _read(path)
    if file.kind != kind:
        raise KeyFileError(f"{path} holds a key of kind {file.kind}, not {kind}")
    key = build(_unlock(path, file, passphrase))
    if _public(key) != file.public:
        raise KeyFileError(f"{path} is damaged: its public key is another one's")
    return key


def _unlock(path: Path, file: KeyFile, passphrase: str | None) -> bytes:
    if isinstance(file.secret, BareSecret):
        return octets(file.secret.key)
    if passphrase is None:
        raise KeyFileError(f"{path} needs its passphrase")
    label = KeyFileInfo(kind=file.kind, public=file.public, salt=file.secret.salt)
    info = info_for(Context.KEY_FILE, label)
    try:
        return open_box(_stretch(passphrase, file.secret.salt), info, file.secret.box)
    except SealError as error:
        raise KeyFileError(
            f"{path} does not open", hint="the passphrase is wrong, or the file is damaged"
        ) from error


def _read(path: Path) -> KeyFile:
    try:
        path.lstat()  # a file that is not there says nothing about its folder
        _check_private(path.parent.stat(), path.parent, OWN_FOLDER)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise KeyFileError(f"{path} is not a file")
            _check_private(status, path, f"chmod 600 {path}")
            raw = os.read(descriptor, MAX_FILE_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise KeyFileError(f"there is no key file {path}") from error
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return parse(KeyFile, raw, limit=MAX_FILE_BYTES)
    except FormatError as error:
        raise KeyFileError(f"{path} is damaged, or not a key file") from error


def _check_private(status: os.stat_result, path: Path, remedy: str) -> None:
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{path} belongs to another user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyFileError(f"{path} is open to other users", hint=remedy)


def _stretch(passphrase: str, salt: str) -> bytes:
    normal = unicodedata.normalize("NFC", passphrase).encode()
    if not normal:
        raise KeyFileError("the passphrase is empty", hint="leave it out for a key without protection")
    return Scrypt(salt=octets(salt), length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(normal)


def _public(key: SigningKey | HpkePrivateKey | PersonalSeed | ShredKey) -> str:
    """Return 32 public bytes that name the key."""
    if isinstance(key, SigningKey):
        return key.public
    if isinstance(key, HpkePrivateKey):
        return key.public.key_hash
    return key.signing.public if isinstance(key, PersonalSeed) else key.name


def _secret(key: SigningKey | HpkePrivateKey | PersonalSeed | ShredKey) -> bytes:
    return key.seed if isinstance(key, SigningKey | HpkePrivateKey) else key.raw
