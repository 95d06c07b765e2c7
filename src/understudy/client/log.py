"""The log over HTTP: tiles and checkpoint for everybody, raw leaves for auditors and mirrors.

Rules

* Paths are checked before they are sent; an answer is at most as long as its tile can be.
* Nothing read here is believed: whoever uses it recomputes hashes up to a cosigned root.
* Raw leaves are asked for with a key that the server knows as an auditor's or a mirror's.

Example: ``HttpLog(Connection(address)).checkpoint()``.
"""

from collections.abc import Callable, Sequence
from typing import Final

from understudy.client.http import Connection
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError
from understudy.contract.routes import LOG_CHECKPOINT, LOG_ENTRIES, LOG_TILE
from understudy.sealing.signing import SigningKey
from understudy.transparency.checkpoint import parse_checkpoint
from understudy.transparency.errors import MalformedError, TileMissingError
from understudy.transparency.note import parse_note
from understudy.transparency.tiles import CHECKPOINT_PATH, TILE_WIDTH, TileName, parse_path, read_entries

_ENTRIES: Final = "tile/entries/"
_TILE: Final = "tile/"


class HttpLog:
    """One log at one address: a ``TileSource``, and the custodian's source of leaves."""

    def __init__(
        self,
        connection: Connection,
        *,
        key: SigningKey | None = None,
        audience: str | Callable[[], str] = "",
    ) -> None:
        """Read the log at ``connection``.

        Args:
            connection: the server's address.
            key: an auditor's or mirror's key, for raw leaves.
            audience: the server's key, or how to get it; needed with ``key``.
        """
        self._connection: Final = connection
        self._key: Final = key
        self._audience: Final = audience

    def read(self, path: str) -> bytes:
        """Return the file at ``path``.

        Raises:
            TileMissingError: there is none.
            MalformedError: not a path of a log.
            RefusedError: raw leaves without a key that may read them.
            UnavailableError: the server cannot be reached.
        """
        try:
            if path == CHECKPOINT_PATH:
                return self._connection.call(LOG_CHECKPOINT)
            parse_path(path)
            if path.startswith(_ENTRIES):
                return self._read_entries(path.removeprefix(_ENTRIES))
            return self._connection.call(LOG_TILE, parts={"path": path.removeprefix(_TILE)})
        except NotFoundError as error:
            raise TileMissingError(f"no file {path}") from error

    def checkpoint(self) -> bytes:
        """Return the newest cosigned checkpoint, a C2SP signed note.

        Raises:
            UnavailableError: the server cannot be reached, or no checkpoint was cosigned yet.
        """
        return self._connection.call(LOG_CHECKPOINT)

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """Return the raw leaves from ``start`` up to ``end``, as many as there are.

        Raises:
            UnavailableError: the server cannot be reached, or answers what is no log.
            RefusedError: the key may not read raw leaves.
        """
        leaves: list[bytes] = []
        try:
            size = parse_checkpoint(parse_note(self.checkpoint()).text).size
            end = min(end, size)
            for n in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
                width = min(TILE_WIDTH, size - n * TILE_WIDTH)
                found = read_entries(self, TileName(None, n, width))
                first = n * TILE_WIDTH
                leaves.extend(found[max(start - first, 0) : max(end - first, 0)])
        except (MalformedError, TileMissingError) as error:
            raise UnavailableError(f"the log cannot be read: {error}", hint=error.hint) from error
        return leaves

    def _read_entries(self, path: str) -> bytes:
        if self._key is None:
            raise RefusedError(
                "key-needed", hint="raw leaves go to auditors and mirrors: say which key signs"
            )
        audience = self._audience if isinstance(self._audience, str) else self._audience()
        return self._connection.call(LOG_ENTRIES, key=self._key, audience=audience, parts={"path": path})
