"""The home directories of server, custodian and witness: keys, configuration, stores, public keys.

Rules

* One process, one home, mode 0700. Keys are made here, by the process's own command, and never leave.
* ``make`` is idempotent: what stands is kept, what is missing is made. A store that a key was made for is
  never made a second time, because a party that forgot is worse than one that is gone.
* ``public.json`` holds public keys only: it is what the steward collects.

Example: ``make_witness(home, WitnessConfig(name="example.org/witness"))`` returns its public keys.
"""

from pathlib import Path
from typing import Final, TypeVar

import msgspec

from understudy.consent.keyset import CustodianKeys, LogKey, WitnessKey
from understudy.consent.primitives import Line, PublicKey, Value
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.store import Store
from understudy.sealing.durable import durable_write, private_folder
from understudy.sealing.keyfile import (
    create_hpke,
    create_shred,
    create_signing,
    load_hpke,
    load_signing,
)
from understudy.sealing.signing import SigningKey
from understudy.transparency.store import create_log
from understudy.transparency.witness import Witness
from understudy.web.config import CustodianConfig, ServerConfig, WitnessConfig, write_config
from understudy.web.errors import HomeError

PUBLIC_FILE: Final = "public.json"
LOG_STORE: Final = "log.sqlite"
SERVER_STORE: Final = "server.sqlite"
KEY_STORE: Final = "keystore.sqlite"
CUSTODIAN_STORE: Final = "custodian.sqlite"
WITNESS_STORE: Final = "witness.sqlite"
SHRED_KEY: Final = "shred.json"


class ServerParty(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="server", tag_field="party"
):
    """Public keys of the server, its escrow issuer and its log."""

    server: PublicKey
    escrow_issuer: PublicKey
    log: LogKey


class CustodianParty(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="custodian", tag_field="party"
):
    """Public keys of a custodian."""

    keys: CustodianKeys


class WitnessParty(
    Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="witness", tag_field="party"
):
    """Public keys of a witness."""

    keys: WitnessKey


PartyKeys = ServerParty | CustodianParty | WitnessParty
P = TypeVar("P", ServerParty, CustodianParty, WitnessParty)


def make_server(home: Path, config: ServerConfig, *, origin: Line) -> ServerParty:
    """Set up the server's home: server, escrow issuer, log and shred keys, and an empty log.

    Args:
        home: where; made if absent.
        config: written if it is the first.
        origin: the log's name, on its checkpoints for ever.
    """
    _begin(home, config)
    server, issuer = _signing(home, "server"), _signing(home, "escrow-issuer")
    log, checkpoint = _signing(home, "log"), _signing(home, "checkpoint")
    if not key_path(home, "shred").exists():
        create_shred(key_path(home, "shred"))
    key = LogKey(origin=origin, epoch=1, checkpoint=checkpoint.public, signing=log.public)
    made = ServerParty(server=server.public, escrow_issuer=issuer.public, log=key)
    if not (home / LOG_STORE).exists():
        _refuse_second(home, LOG_STORE)
        create_log(home / LOG_STORE, origin=origin, key=checkpoint)
    return _publish(home, made)


def make_custodian(home: Path, config: CustodianConfig) -> CustodianParty:
    """Set up a custodian's home: signing and HPKE keys, and an empty store with everything off."""
    _begin(home, config)
    signing = _signing(home, "custodian")
    path = key_path(home, "custodian-hpke")
    hpke = load_hpke(path) if path.exists() else create_hpke(path)
    keys = CustodianKeyPair(name=config.name, epoch=config.epoch, signing=signing, hpke=hpke)
    if not (home / CUSTODIAN_STORE).exists():
        _refuse_second(home, CUSTODIAN_STORE)
        Store.create(home / CUSTODIAN_STORE).close()
    return _publish(home, CustodianParty(keys=keys.public))


def make_witness(home: Path, config: WitnessConfig) -> WitnessParty:
    """Set up a witness's home: cosigning and signing keys, and an empty memory."""
    _begin(home, config)
    signing, cosigning = _signing(home, "witness"), _signing(home, "cosigning")
    keys = WitnessKey(name=config.name, cosigning=cosigning.public, signing=signing.public)
    if not (home / WITNESS_STORE).exists():
        _refuse_second(home, WITNESS_STORE)
        Witness.create(home / WITNESS_STORE, name=config.name, key=cosigning)
    return _publish(home, WitnessParty(keys=keys))


def key_path(home: Path, name: str) -> Path:
    """Return where a key file of this home lies."""
    return home / "keys" / f"{name}.json"


def load_key(home: Path, name: str) -> SigningKey:
    """Return one of the home's own signing keys.

    Raises:
        HomeError: the home is not set up.
        KeyFileError: the file is damaged or open to others.
    """
    path = key_path(home, name)
    if not path.exists():
        raise HomeError(f"{home} has no key {name}", hint="run init first")
    return load_signing(path)


def load_custodian_keys(home: Path, config: CustodianConfig) -> CustodianKeyPair:
    """Return the custodian's own keys; errors as ``load_key``."""
    signing = load_key(home, "custodian")
    hpke = load_hpke(key_path(home, "custodian-hpke"))
    return CustodianKeyPair(name=config.name, epoch=config.epoch, signing=signing, hpke=hpke)


def read_public(path: Path) -> PartyKeys:
    """Return the public keys in a home's ``public.json``, or in a copy of it.

    Raises:
        HomeError: it cannot be read.
    """
    try:
        keys: PartyKeys = msgspec.json.decode(path.read_bytes(), type=PartyKeys)
    except (OSError, msgspec.DecodeError) as error:
        raise HomeError(f"{path} holds no party's public keys", hint="run init first") from error
    return keys


def _begin(home: Path, config: ServerConfig | CustodianConfig | WitnessConfig) -> None:
    private_folder(home)
    private_folder(home / "keys")
    if not (home / "config.toml").exists():
        write_config(home, config)


def _signing(home: Path, name: str) -> SigningKey:
    path = key_path(home, name)
    return load_signing(path) if path.exists() else create_signing(path)


def _publish(home: Path, made: P) -> P:
    path = home / PUBLIC_FILE
    if path.exists():
        if read_public(path) != made:
            raise HomeError(
                f"{home} was set up with another name or other keys",
                hint="use another home, or the first name",
            )
        return made
    durable_write(path, msgspec.json.encode(made))
    return made


def _refuse_second(home: Path, store: str) -> None:
    """Refuse to make a store anew under keys that were already published."""
    if (home / PUBLIC_FILE).exists():
        raise HomeError(
            f"{home / store} is gone",
            hint="restore it; a party that lost its memory retires its keys and starts in a new home",
        )
