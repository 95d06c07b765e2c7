"""Where things are: the server, this device, keys; the same options on every command.

Rules

* ``UNDERSTUDY_SERVER`` and ``UNDERSTUDY_DEVICE`` give the defaults; an option wins over them.
* A key file that is not protected by a passphrase is used, and said to be unprotected, once per command.
  ``UNDERSTUDY_PASSPHRASE_FILE`` names a file with the passphrase of protected ones.
"""

import os
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.client.server import ServerClient
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.errors import UnderstudyError
from understudy.sealing.errors import KeyFileError
from understudy.sealing.keyfile import load_signing, protection_of
from understudy.sealing.signing import SigningKey, document_hash

DEFAULT_SERVER = "http://127.0.0.1:8470"
DEFAULT_CUSTODIAN = "http://127.0.0.1:8471"
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


def connect(server: str, key: SigningKey | None = None) -> ServerClient:
    """Return a client of the server at ``server``; ``key`` signs what needs a caller."""
    return ServerClient(server, key=key)


def connect_custodian(address: str) -> HttpCustodian:
    """Return a client of a custodian, for what anybody may ask it."""
    return HttpCustodian(Connection(address))


def signing_key(path: Path) -> SigningKey:
    """Return the signing key in ``path``.

    Raises:
        KeyFileError: missing, open to others, damaged, or the passphrase is wrong or not given.
    """
    passphrase = None
    if protection_of(path) == "passphrase":
        named = os.environ.get("UNDERSTUDY_PASSPHRASE_FILE")
        if not named:
            raise KeyFileError(f"{path} needs its passphrase", hint="set UNDERSTUDY_PASSPHRASE_FILE")
        passphrase = Path(named).read_text().rstrip("\n")
    return load_signing(path, passphrase=passphrase)


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
