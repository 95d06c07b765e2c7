"""The operator's log: what went wrong, never who did what.

Rules

* One JSON object a line on standard error. There is no access log: who called when is a record of working
  hours.
* A processor drops every field whose name is on ``FORBIDDEN`` and replaces long strings, whatever the caller
  wrote.
* Errors appear as their class and their own message; tracebacks only with ``UNDERSTUDY_TRACE=1``.

Example

>>> scrub(None, "info", {"event": "stored", "segment": "seg_x", "count": 3})
{'event': 'stored', 'count': 3}
"""

import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

FORBIDDEN: Final = frozenset(
    {
        "address", "authorization", "body", "challenge", "ciphertext", "client", "code", "consent",
        "content", "cookie", "credential", "device", "exc_info", "half", "halves", "header", "headers",
        "ip", "key", "keys", "lease", "login", "name", "nonce", "opening", "participant", "passphrase",
        "password", "path", "person", "plaintext", "private", "query", "recording", "remote", "salt",
        "sealed", "secret", "seed", "segment", "segments", "signature", "tag", "tags", "target", "text",
        "title", "token", "url", "user", "value",
    }
)  # fmt: skip
"""Names of fields that are dropped."""

MAX_FIELD_CHARACTERS: Final = 300


def scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Drop forbidden fields, and whatever is too long to have been meant."""
    kept: dict[str, Any] = {}
    for name, value in event.items():
        if name.lower() in FORBIDDEN or isinstance(value, bytes | bytearray):
            continue
        is_long = isinstance(value, str) and len(value) > MAX_FIELD_CHARACTERS and name != "exception"
        kept[name] = f"{len(value)} characters" if is_long else value
    return kept


def open_journal(party: str) -> structlog.typing.FilteringBoundLogger:
    """Return the journal of one process; also silences libraries that would log addresses and paths."""
    for library in ("sqlalchemy", "alembic", "litestar", "_granian"):
        logging.getLogger(library).setLevel(logging.ERROR)
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if os.environ.get("UNDERSTUDY_TRACE") == "1":
        processors.append(structlog.processors.format_exc_info)
    made: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[*processors, scrub, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        party=party,
    )
    return made
