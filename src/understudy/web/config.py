"""Configuration of a process: one small TOML file in its home, written by ``init``, edited by its operator.

Rules

* It says where things are: addresses, ports, certificates. Keys are key files beside it; what was agreed to
  is the programme document. Nothing in it can widen what anybody may do.
* An unknown field is an error, so that a misspelt one is not silently without effect.

Example::

    party = "custodian"
    name = "custodian"
    port = 8471
    server = "http://127.0.0.1:8470"
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from understudy.consent.primitives import Line, Name, Value
from understudy.sealing.durable import durable_write
from understudy.web.errors import ConfigError, HomeError

CONFIG_FILE: Final = "config.toml"
LOOPBACK: Final = "127.0.0.1"
SERVER_PORT: Final = 8470
CUSTODIAN_PORT: Final = 8471
WITNESS_PORT: Final = 8472

Port = Annotated[int, Meta(ge=0, le=65_535)]
Address = Annotated[str, Meta(pattern=r"^https?://[^\s\"\\]+$(?!\n)", max_length=300)]
FilePath = Annotated[str, Meta(pattern=r"^[^\"\\\x00-\x1f]*$(?!\n)", max_length=4_000)]


class Listening(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a process listens, and whom it trusts when it calls others."""

    host: Line = LOOPBACK
    port: Port
    certificate: FilePath = ""
    certificate_key: FilePath = ""
    trust_file: FilePath = ""
    allow_plain: bool = False


class ServerConfig(
    Listening, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="server", tag_field="party"
):
    """The server: where custodians and witnesses answer, by their names in the key set."""

    port: Port = SERVER_PORT
    custodians: Mapping[Name, Address] = msgspec.field(default_factory=dict)
    witnesses: Mapping[Line, Address] = msgspec.field(default_factory=dict)


class CustodianConfig(
    Listening, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="custodian", tag_field="party"
):
    """A custodian: its name and epoch in the key set, and where it reads the log."""

    name: Name = "custodian"
    epoch: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    port: Port = CUSTODIAN_PORT
    server: Address | None = None


class WitnessConfig(
    Listening, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="witness", tag_field="party"
):
    """A witness: the name its cosignatures carry."""

    name: Line = "understudy.local/witness"
    port: Port = WITNESS_PORT


Config = ServerConfig | CustodianConfig | WitnessConfig
C = TypeVar("C", ServerConfig, CustodianConfig, WitnessConfig)


def read_config(home: Path, kind: type[C]) -> C:
    """Return the configuration in ``home``.

    Raises:
        HomeError: there is none, or it is another party's.
        ConfigError: it is not what it should be.
    """
    try:
        written = tomllib.loads((home / CONFIG_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise HomeError(f"{home} is not set up", hint="run init first") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{home / CONFIG_FILE} is not TOML") from error
    wanted = str(kind.__struct_config__.tag)
    party = written.get("party")
    if party != wanted:
        raise HomeError(f"{home} is the home of a {party}, not of a {wanted}")
    try:
        return msgspec.convert(written, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{home / CONFIG_FILE}: {error}") from error


def write_config(home: Path, config: Config) -> None:
    """Write the configuration into ``home``, replacing an earlier one durably."""
    durable_write(home / CONFIG_FILE, _toml(msgspec.to_builtins(config)).encode(), exclusive=False)


def _toml(fields: dict[str, object]) -> str:
    """Return one level of tables as TOML; None is left out.

    >>> print(_toml({"port": 1, "server": None, "at": {"a b": "c"}}), end="")
    port = 1
    <BLANKLINE>
    [at]
    "a b" = "c"
    """
    plain = [(name, value) for name, value in fields.items() if not isinstance(value, dict | None)]
    tables = [(name, value) for name, value in fields.items() if isinstance(value, dict)]
    lines = [f"{name} = {_cell(value)}" for name, value in plain]
    for name, table in tables:
        lines += ["", f"[{name}]", *(f"{_cell(key)} = {_cell(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    # JSON spells strings, integers and booleans as TOML does.
    return msgspec.json.encode(value).decode()
