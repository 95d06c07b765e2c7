"""The server's ways to every custodian and witness of its key set, over HTTP.

Rules

* Addresses come from the configuration, names and keys from the programme document. A party without an
  address is an error at the start, not at the first open.

Example: ``Links(document, config, home, clock).custodians``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.client.witness import HttpWitness
from understudy.consent.clock import Clock
from understudy.consent.programme import ProgrammeDocument
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.trust import log_trust
from understudy.web.config import ServerConfig
from understudy.web.errors import ConfigError
from understudy.web.home import load_key
from understudy.web.neighbours import Identified


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

    def _connect(self, addresses: Mapping[str, str], name: str) -> Connection:
        if name not in addresses:
            raise ConfigError(f"config.toml has no address for {name}", hint="add it and start again")
        made = Connection(
            addresses[name],
            clock=self._clock,
            allow_plain=self._config.allow_plain,
            trust_file=self._config.trust_file or None,
        )
        self._connections.append(made)
        return made
