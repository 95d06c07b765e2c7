"""What the commands of server, custodian and witness share: options, serving, saying what was done."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from cyclopts import Parameter
from msgspec.structs import replace

from understudy.cli.output import remark
from understudy.consent.primitives import Value
from understudy.sealing.signing import Signed
from understudy.web.config import Listening
from understudy.web.document import fingerprint, read_document, write_document
from understudy.web.listening import (
    HomeLock,
    Tls,
    address_of,
    announcements,
    die_with,
    keep_memory_private,
    listen,
)

if TYPE_CHECKING:
    from understudy.web.process import Party

DIGEST_CHARACTERS: Final = 43

Home = Annotated[Path, Parameter(help="This party's own folder: keys, configuration, store.")]
DocumentFile = Annotated[Path, Parameter(help="The programme document, as it goes round.")]
Out = Annotated[Path | None, Parameter(help="Write the signed copy here; default: in place.")]
Host = Annotated[str | None, Parameter(help="Listen here; default: this machine only.")]
Port = Annotated[int | None, Parameter(help="Listen on this port; default: the one in config.toml.")]
Parent = Annotated[int | None, Parameter(show=False, help="End when this process ends.")]
Hash = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,
        name="--hash",
        help="The document's hash, from the steward, never from the server.",
    ),
]


def serve_party(
    home: Path,
    config: Listening,
    open_party: Callable[[], "Party"],
    *,
    host: str | None,
    port: int | None,
    parent: int | None,
) -> None:
    """Listen, compose and serve until told to stop."""
    keep_memory_private()
    if parent is not None:
        die_with(parent)
    if host is not None or port is not None:
        config = replace(config, host=host or config.host, port=config.port if port is None else port)
    tls = None
    if config.certificate:
        tls = Tls(Path(config.certificate), Path(config.certificate_key))
    lock = HomeLock(home)
    try:
        from understudy.web.process import run_party  # noqa: PLC0415  only a process that serves loads a server

        with listen(config.host, config.port) as sock:
            for line in announcements(config.host, is_tls=tls is not None):
                remark(line)
            if config.allow_plain:
                remark("calling other machines over plain http is allowed: allow_plain is set")
            remark(f"answering at {address_of(sock, is_tls=tls is not None)}, process {os.getpid()}")
            run_party(open_party(), sock, tls=tls)
    finally:
        lock.release()


def sign_file(path: Path, out: Path | None, signer: Callable[[Signed], Signed]) -> Signed:
    """Sign the document in a file, in place or into another."""
    signed = signer(read_document(path))
    write_document(out or path, signed)
    return signed


def announce_keys(home: Path) -> None:
    """Say how a party's own keys are kept."""
    remark(f"the keys in {home / 'keys'} have no passphrase: whoever reads that folder is this party")


def public_lines(keys: Value) -> str:
    """Return public keys as people compare them, one a line."""
    lines: list[str] = []
    _flatten("", msgspec.to_builtins(keys), lines)
    return "\n".join(lines)


def _flatten(prefix: str, value: Any, lines: list[str]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _flatten(f"{prefix}{name} ", inner, lines)
        return
    text = str(value)
    if len(text) == DIGEST_CHARACTERS:
        text = fingerprint(text)
    elif len(text) > DIGEST_CHARACTERS:
        text = f"{text[:20]}…"
    lines.append(f"{prefix.replace('_', ' ').strip():<20} {text}")
