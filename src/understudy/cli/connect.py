"""Where things are: the server, this device, keys; the same options on every command.

Rules

* ``UNDERSTUDY_SERVER`` and ``UNDERSTUDY_DEVICE`` give the defaults; an option wins over them.
* ``UNDERSTUDY_PASSPHRASE_FILE`` names a file with the passphrase of key files that are protected by one, a
  device's included. Whoever makes keys without one is told so.
* People pin the programme, as devices do: ``--document``, or ``UNDERSTUDY_DOCUMENT``, names the signed
  document they hold. It is what is used, and a server that shows another one is refused. Without one, the
  command says that it believes the server.
"""

import os
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from understudy.cli.output import remark
from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.client.server import ServerClient
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.errors import UnderstudyError
from understudy.consent.programme import ProgrammeDocument
from understudy.recorder.device import Device, protection_of_device
from understudy.recorder.errors import PinError
from understudy.sealing.errors import KeyFileError
from understudy.sealing.keyfile import Protection, load_signing, protection_of
from understudy.sealing.signing import Signed, SigningKey, document_hash

DEFAULT_SERVER = "http://127.0.0.1:8470"
DEFAULT_CUSTODIAN = "http://127.0.0.1:8471"
PASSPHRASE_FILE = "UNDERSTUDY_PASSPHRASE_FILE"  # noqa: S105  (the name of a variable)
DEFAULT_DEVICE = Path.home() / ".understudy" / "device"

ServerUrl = Annotated[
    str, Parameter(name="--server", env_var="UNDERSTUDY_SERVER", help="Address of the server.")
]
CustodianUrl = Annotated[
    tuple[str, ...],
    Parameter(name="--custodian", env_var="UNDERSTUDY_CUSTODIAN", help="Address of a custodian; repeat."),
]
DeviceHome = Annotated[
    Path, Parameter(name="--device", env_var="UNDERSTUDY_DEVICE", help="Folder of this device.")
]
KeyFile = Annotated[Path, Parameter(name="--key", help="Key file that signs.")]
PinnedFile = Annotated[
    Path | None,
    Parameter(
        name="--document",
        env_var="UNDERSTUDY_DOCUMENT",
        help="The signed programme document that you hold; a server that shows another one is refused.",
    ),
]


def connect(server: str, key: SigningKey | None = None) -> ServerClient:
    """Return a client of the server at ``server``; ``key`` signs what needs a caller."""
    return ServerClient(server, key=key)


def connect_custodian(address: str) -> HttpCustodian:
    """Return a client of a custodian, for what anybody may ask it."""
    return HttpCustodian(Connection(address))


def read_signed(path: Path) -> Signed:
    """Return the signed programme document in a file; its signatures are not checked.

    Raises:
        UnderstudyError: there is no such file, or it is something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Signed)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnderstudyError(f"{path} is not a signed programme document") from error


def pinned_document(client: ServerClient, path: Path | None) -> ProgrammeDocument:
    """Return the programme document that a person's command relies on.

    Args:
        client: the server, which has to show the same document.
        path: the signed document that the person holds; None believes the server, and says so.

    Raises:
        PinError: the server shows another document.
        UnderstudyError: the file is no signed programme document.
        SignatureError, FormatError: a signature is wrong, or it is another kind of document.
    """
    shown = client.document()
    if path is None:
        remark("the programme document is believed as the server shows it; pin yours with --document FILE")
        return shown.verify(ProgrammeDocument)
    held = read_signed(path)
    document = held.verify(ProgrammeDocument)
    if shown.hash(ProgrammeDocument) != held.hash(ProgrammeDocument):
        raise PinError("the server shows another programme document than the one you hold")
    return document


def signing_key(path: Path) -> SigningKey:
    """Return the signing key in ``path``.

    Raises:
        KeyFileError: missing, open to others, damaged, or the passphrase is wrong or not given.
    """
    return load_signing(path, passphrase=_passphrase(path, protection_of(path)))


def open_device(home: Path) -> Device:
    """Return the device in ``home``.

    Raises:
        DeviceError: there is none, or it is damaged.
        KeyFileError: a key is missing, open to others, damaged, or the passphrase is wrong or not given.
    """
    is_device = (home / "document.json").exists()
    protection = protection_of_device(home) if is_device else "none"
    return Device(home, passphrase=_passphrase(home, protection))


def read_passphrase(path: Path) -> str:
    """Return the passphrase in a file; line ends after it are no part of it.

    Raises:
        KeyFileError: it cannot be read, or is empty.
    """
    try:
        passphrase = path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"the passphrase file {path} cannot be read") from error
    if not passphrase:
        raise KeyFileError(f"the passphrase file {path} is empty")
    return passphrase


def _passphrase(path: Path, protection: Protection) -> str | None:
    """Return the passphrase that ``path`` needs, or None if it needs none."""
    if protection == "none":
        return None
    named = os.environ.get(PASSPHRASE_FILE)
    if not named:
        raise KeyFileError(f"{path} needs its passphrase", hint=f"set {PASSPHRASE_FILE}")
    return read_passphrase(Path(named))


def credential_of(text: str) -> Ed25519Credential:
    """Return the credential of a reader: a key file's path, or a public key as base64url.

    Raises:
        UnderstudyError: neither.
    """
    path = Path(text)
    if path.exists():
        return Ed25519Credential(public_key=signing_key(path).public)
    try:
        return msgspec.convert({"kind": "ed25519", "public_key": text}, Ed25519Credential)
    except msgspec.ValidationError as error:
        raise UnderstudyError(
            "a reader is a key file or an Ed25519 public key", hint="43 characters of base64url"
        ) from error


def credential_hash(key: SigningKey) -> str:
    """Return the hash by which grants and the log speak of ``key``."""
    return document_hash(Ed25519Credential(public_key=key.public))
