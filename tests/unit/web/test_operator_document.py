"""docs/operator.md says what is so: its commands exist with these options, and no setting is missing."""

import re
import shlex
from pathlib import Path

import pytest

from understudy.cli import app
from understudy.web.config import (
    CUSTODIAN_PORT,
    SERVER_PORT,
    WITNESS_PORT,
    CustodianConfig,
    ServerConfig,
    WitnessConfig,
)

DOCUMENT = (Path(__file__).parents[3] / "docs" / "operator.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```[a-z]*\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
COMMANDS = sorted({line for block in BLOCKS for line in block.splitlines() if line.startswith("understudy ")})


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_document_is_understood(command: str) -> None:
    app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ([a-z, ]+) \|", DOCUMENT, re.MULTILINE)
    told = {(name, party) for name, parties in rows for party in _parties(parties)}
    found = {
        (name, str(kind.__struct_config__.tag))
        for kind in (ServerConfig, CustodianConfig, WitnessConfig)
        for name in ("party", *kind.__struct_fields__)
    }
    assert told == found


def test_the_ports_are_the_programs() -> None:
    told = [int(port) for port in re.findall(r"`understudy [a-z ]+` \| (\d+) \|", DOCUMENT)]
    assert told == [SERVER_PORT, CUSTODIAN_PORT, WITNESS_PORT]


def _parties(told: str) -> list[str]:
    return ["server", "custodian", "witness"] if told == "all" else told.split(", ")
