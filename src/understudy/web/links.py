"""The server's ways to every custodian and witness of its key set, over HTTP.

Rules

* There are two ways to a custodian: a patient one for deposits and opens, and a prompt one that gives up soon
  and asks once, for stops and everything beside them. What was not delivered is queued and sent again.
* Addresses come from the configuration, names and keys from the programme document. A party without an
  address is an error at the start, not at the first open.

Example: ``Links(document, config, home, clock).custodians``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from understudy.client.custodian import HttpCustodian
from understudy.client.http import READ_SECONDS, REPEATS, Connection
from understudy.client.witness import HttpWitness
from understudy.consent.clock import Clock
from understudy.consent.programme import ProgrammeDocument
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.trust import log_trust
from understudy.web.config import ServerConfig
from understudy.web.errors import ConfigError
from understudy.web.home import load_key
from understudy.web.neighbours import Identified

PROMPT_SECONDS: Final = 3.0
"""How long a stop waits for a custodian's answer before it is queued for it instead."""


class Links:
    """Connections to the other parties; close them when done."""

    def __init__(self, document: ProgrammeDocument, config: ServerConfig, home: Path, clock: Clock) -> None:
        """Prepare the connections; nothing is sent yet.

        Raises:
            ConfigError: a custodian or witness has no address.
        """
        self._connections: list[Connection] = []
        self._config = config
        self._clock = clock
        keys, server_key = document.key_set, load_key(home, "server")
        self.custodians: Final = [
            HttpCustodian(self._connect(config.custodians, custodian.name), custodian, server_key)
            for custodian in keys.custodians
        ]
        self.prompt_custodians: Final = [
            HttpCustodian(
                self._connect(config.custodians, custodian.name, seconds=PROMPT_SECONDS, repeats=0),
                custodian,
                server_key,
            )
            for custodian in keys.custodians
        ]
        asked = [HttpWitness(self._connect(config.witnesses, witness.name)) for witness in keys.witnesses]
        self.witnesses: Final = [
            WitnessLink(key, witness) for key, witness in zip(log_trust(keys).witnesses, asked, strict=True)
        ]
        self.neighbours: Final[Mapping[str, Identified]] = {
            **{f"custodian {custodian.name}": custodian for custodian in self.custodians},
            **{
                f"witness {named.name}": witness for named, witness in zip(keys.witnesses, asked, strict=True)
            },
        }

    def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            connection.close()

    def _connect(
        self,
        addresses: Mapping[str, str],
        name: str,
        *,
        seconds: float = READ_SECONDS,
        repeats: int = REPEATS,
    ) -> Connection:
        if name not in addresses:
            raise ConfigError(f"config.toml has no address for {name}", hint="add it and start again")
        made = Connection(
            addresses[name],
            clock=self._clock,
            allow_plain=self._config.allow_plain,
            trust_file=self._config.trust_file or None,
            read_seconds=seconds,
            repeats=repeats,
        )
        self._connections.append(made)
        return made
