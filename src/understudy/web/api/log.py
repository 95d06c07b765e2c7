"""The log's files (C2SP tlog-tiles): checkpoint and tiles for everybody, raw leaves for auditors and mirrors.

Rules

* The checkpoint is the newest one that a quorum cosigned. Until there is one, the log is not available.
* Whoever gets a checkpoint that is no longer fresh has it cosigned again: asking once more brings that one.
* Full tiles never change and may be cached; partial ones and the checkpoint may not.
* Raw leaves name no participant, but they tell what happens when; the policies say who may read them.
"""

from collections.abc import Callable
from typing import Final

from understudy.access.actors import credential_of
from understudy.access.facts import OperateQuery
from understudy.consent.decisions import Refused
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.contract.routes import LOG_CHECKPOINT, LOG_ENTRIES, LOG_TILE
from understudy.transparency.tiles import TILE_WIDTH, TileName, parse_path
from understudy.web.broker import Broker
from understudy.web.calls import OCTETS, TEXT, Call, Reply, Served

FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}


class LogCalls:
    """Answers about the log."""

    def __init__(self, broker: Broker, cosign_again: Callable[[], None]) -> None:
        """Answer from ``broker``'s log; ``cosign_again`` begins a round of cosigning and does not wait."""
        self._broker = broker
        self._cosign_again = cosign_again

    def served(self) -> list[Served]:
        """Return the log's routes."""
        return [
            Served(LOG_CHECKPOINT, self.checkpoint),
            Served(LOG_TILE, self.tile),
            Served(LOG_ENTRIES, self.entries, expected=self.may_read),
        ]

    def may_read(self, key: str) -> bool:
        """Return whether a key may read raw leaves."""
        return not isinstance(self._broker.grants.decider.decide(self._query(key)), Refused)

    def checkpoint(self, _call: Call) -> Reply:
        """Return the newest cosigned checkpoint."""
        newest = self._broker.log.newest
        if newest is None:
            raise UnavailableError("no checkpoint was cosigned yet", hint="see whether the witness runs")
        fresh_seconds = self._broker.document.delays.cosignature_seconds
        if newest.newest_quorum_time < self._broker.clock.now() - fresh_seconds:
            self._cosign_again()
        return Reply(newest.note, TEXT)

    def tile(self, call: Call) -> Reply:
        """Return a hash tile."""
        name = parse_path(f"tile/{call.parts['path']}")
        if name.level is None:
            raise RefusedError("raw-leaves", hint="raw leaves go to auditors and mirrors")
        return self._file(name)

    def entries(self, call: Call) -> Reply:
        """Return an entry bundle."""
        return self._file(parse_path(f"tile/entries/{call.parts['path']}"))

    def _file(self, name: TileName) -> Reply:
        raw = self._broker.log.store.tiles.read(name.path)
        is_public = name.level is not None and name.width == TILE_WIDTH
        return Reply(raw, OCTETS, headers=FOR_EVER if is_public else {})

    def _query(self, key: str) -> OperateQuery:
        grants = self._broker.grants
        actor = grants.actors.actor(credential_of(key))
        return OperateQuery(actor=actor, programme=grants.programme, what="readLog")
