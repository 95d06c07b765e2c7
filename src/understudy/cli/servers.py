"""``understudy up``, ``down`` and ``serve``: the server, and all three parties on one machine."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from understudy.cli.output import Json, emit, remark
from understudy.cli.parties import (
    DocumentFile,
    Home,
    Host,
    Out,
    Parent,
    Port,
    announce_keys,
    public_lines,
    serve_party,
    sign_file,
)
from understudy.consent.clock import SystemClock
from understudy.consent.programme import ProgrammeDocument
from understudy.sealing.durable import private_folder
from understudy.web.ceremony import DelayChoice
from understudy.web.config import SERVER_PORT, ServerConfig, read_config
from understudy.web.document import fingerprint, read_document
from understudy.web.errors import ConfigError, NotRunningError, StartError
from understudy.web.home import make_server
from understudy.web.one_machine import OneMachine, choose_ports
from understudy.web.publication import publish_document, sign_server
from understudy.web.supervisor import Running, last_words, open_output, read_running, stop_running

DEFAULT_HOME = Path.home() / ".understudy" / "home"
START_SECONDS = 90.0

serve = App(name="serve", help="The server: set up, sign, publish, and run it alone.")


@serve.command
def init(
    *,
    home: Home,
    origin: Annotated[str, Parameter(help="Name of the log, for ever: like example.org/log.")],
    custodian: Annotated[tuple[str, ...], Parameter(help="NAME=ADDRESS of a custodian; repeat.")] = (),
    witness: Annotated[tuple[str, ...], Parameter(help="NAME=ADDRESS of a witness; repeat.")] = (),
    port: Annotated[int, Parameter(help="Where it will listen.")] = SERVER_PORT,
    json: Json = False,
) -> None:
    """Make the keys of server, escrow issuer and log, and an empty log; public.json is for the steward."""
    config = ServerConfig(port=port, custodians=_addresses(custodian), witnesses=_addresses(witness))
    made = make_server(home, config, origin=origin)
    announce_keys(home)
    emit(made, f"{public_lines(made)}\npublic keys are in {home / 'public.json'}", as_json=json)


@serve.command
def sign(document: DocumentFile, *, home: Home, out: Out = None, json: Json = False) -> None:
    """Sign the programme document as server, escrow issuer and log, if it names their own keys."""
    signed = sign_file(document, out, lambda given: sign_server(home, given))
    found = signed.hash(ProgrammeDocument)
    emit(
        {"document": found, "signatures": len(signed.signatures)},
        f"signed {fingerprint(found)}",
        as_json=json,
    )


@serve.command
def publish(document: DocumentFile, *, home: Home, json: Json = False) -> None:
    """Make the document, signed by everybody, entry 0 of the log. Repeating changes nothing."""
    found = publish_document(home, read_document(document), SystemClock())
    emit({"document": found, "index": 0}, f"entry 0 is {fingerprint(found)}", as_json=json)


@serve.command
def run(*, home: Home, host: Host = None, port: Port = None, parent: Parent = None) -> None:
    """Answer as the server until told to stop."""
    from understudy.web.server_app import open_server  # noqa: PLC0415  only a process that serves loads a server

    config = read_config(home, ServerConfig)
    serve_party(home, config, lambda: open_server(home, SystemClock()), host=host, port=port, parent=parent)
    remark("the server has ended")


def up(
    *,
    home: Annotated[
        Path, Parameter(help="Folder for the three homes, the people's keys and the document.")
    ] = DEFAULT_HOME,
    port: Annotated[
        int | None, Parameter(help="Server port; custodian and witness take the next two.")
    ] = None,
    custodian_port: Annotated[int | None, Parameter(help="Custodian port, if not the next one.")] = None,
    witness_port: Annotated[int | None, Parameter(help="Witness port, if not the one after.")] = None,
    profile: Annotated[
        Literal["embedded", "production"], Parameter(help="production never runs on one machine.")
    ] = "embedded",
    delays: Annotated[
        DelayChoice, Parameter(help="demo shortens waiting times, at the first start, and names them.")
    ] = "standard",
    detach: Annotated[bool, Parameter(negative="", help="Return once everything serves.")] = False,
    json: Json = False,
) -> int:
    """Start server, custodian and witness on this machine, and say what one operator means.

    The first start makes every key, has everybody sign the programme document, and lifts the switch once.
    """
    arguments = ["up", "--home", str(home), "--delays", delays, "--profile", profile]
    for option, number in (
        ("port", port),
        ("custodian-port", custodian_port),
        ("witness-port", witness_port),
    ):
        if number is not None:
            arguments += [f"--{option}", str(number)]
    if detach:
        running = _detached(home, arguments)
        emit(running, _where(running), as_json=json)
        return 0
    machine = OneMachine(home, choose_ports(home, port, custodian_port, witness_port), SystemClock(), remark)
    running = machine.start(profile=profile, delays=delays)
    emit(running, _where(running), as_json=json)
    sys.stdout.flush()
    machine.supervisor.watch(running)
    remark("everything has ended")
    return 0


def down(
    *,
    home: Annotated[Path, Parameter(help="The folder given to understudy up.")] = DEFAULT_HOME,
    json: Json = False,
) -> None:
    """Stop what `understudy up` started."""
    stopped = stop_running(home)
    emit(stopped, f"stopped {', '.join(sorted(stopped.pids))}", as_json=json)


def _detached(home: Path, arguments: list[str]) -> Running:
    """Start a supervisor that outlives this command, and wait until everything serves."""
    folder = private_folder(home / "logs")
    path = folder / "up.log"
    with open_output(path) as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            (sys.executable, "-m", "understudy", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        code = process.poll()
        if code is not None:
            raise last_words(path, "supervisor", code)
        try:
            running = read_running(home)
        except NotRunningError:
            time.sleep(0.05)
            continue
        if running.pid == process.pid:
            _repeat_remarks(path)
            return running
        time.sleep(0.05)
    process.terminate()
    raise StartError("it did not begin to serve in time", hint=f"see {folder}")


def _repeat_remarks(path: Path) -> None:
    """Say here what the supervisor said while it started."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("understudy: "):
            remark(line.removeprefix("understudy: "))


def _where(running: Running) -> str:
    return (
        f"server     {running.server}/\n"
        f"custodian  {running.custodian}\n"
        f"witness    {running.witness}\n"
        f"document   {fingerprint(running.document)}\n"
        f"key set    {fingerprint(running.key_set)}\n"
        "both as the custodian itself shows them: understudy custodian show"
    )


def _addresses(given: tuple[str, ...]) -> dict[str, str]:
    """Return addresses by name."""
    found = {}
    for item in given:
        name, _, address = item.partition("=")
        if not name or not address:
            raise ConfigError(f"not NAME=ADDRESS: {item}", hint="like first=https://custodian.example.org")
        found[name] = address
    return found
