"""A production programme: assembled from public keys, signed by everybody, run on several machines."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.unit.client.peer import Answer, Peer, answer
from understudy.cli import run
from understudy.consent.clock import SystemClock
from understudy.consent.errors import UnavailableError
from understudy.consent.programme import ProgrammeDocument
from understudy.contract.body import write_body
from understudy.contract.messages import Host, Identity
from understudy.sealing.keyfile import load_hpke, load_signing
from understudy.web.config import ServerConfig, read_config, write_config
from understudy.web.document import read_document
from understudy.web.errors import SharedHostError
from understudy.web.host import this_host
from understudy.web.server_app import open_server

ELSEWHERE = Host(boot="C" * 42 + "A", machine="D" * 42 + "A")
PEOPLE = {"steward": "steward", "one": "approver", "two": "approver", "audit": "auditor"}
CUSTODIANS = ("first", "second", "third")
WITNESSES = ("example.org/w1", "example.org/w2")

TERMS = """
profile = "production"
[terms]
title = "A synthetic programme"
notice = "Synthetic text of a synthetic notice."
contact = "nobody"
purposes = ["train"]
streams = ["elements"]
[[terms.application_groups]]
name = "forms"
sites = ["forms.example"]
"""


def command(*arguments: object, code: int = 0) -> None:
    assert run([str(argument) for argument in arguments]) == code, arguments


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Go the way of docs/operator.md, by its commands: keys, assemble, sign, publish, pin."""
    root = tmp_path_factory.mktemp("production")
    people, document = root / "people", root / "document.json"
    for name in (*PEOPLE, "r1", "r2", "r3", "l1", "l2"):
        command("programme", "key", people / f"{name}.json")
    command("programme", "key", people / "openings.json", "--openings")
    command("serve", "init", "--home", root / "server", "--origin", "example.org/log")
    for number, name in enumerate(CUSTODIANS):
        command("custodian", "init", "--home", root / f"c{number}", "--name", name)
    for number, name in enumerate(WITNESSES):
        command("witness", "init", "--home", root / f"w{number}", "--name", name)
    (root / "terms.toml").write_text(TERMS)
    (root / "people.toml").write_text(_people(people))
    command("programme", "check", root / "terms.toml")
    homes = ("server", "c0", "c1", "c2", "w0", "w1")
    parties = [part for home in homes for part in ("--party", root / home / "public.json")]
    files = ("--terms", root / "terms.toml", "--people", root / "people.toml")
    command("programme", "assemble", *files, *parties, "--out", document)
    command("programme", "show", document, code=4)  # signatures are missing
    copies = []
    for home in homes:
        verb = {"s": "serve", "c": "custodian", "w": "witness"}[home[0]]
        copies.append(root / f"{home}.json")
        command(verb, "sign", document, "--home", root / home, "--out", copies[-1])
    for name in PEOPLE:
        copies.append(root / f"{name}-signed.json")
        command("programme", "sign", document, "--key", people / f"{name}.json", "--out", copies[-1])
    command("programme", "merge", *copies, "--out", document)
    command("programme", "show", document)
    command("serve", "publish", document, "--home", root / "server")
    return root


@pytest.fixture
def elsewhere(root: Path) -> Iterator[dict[str, Host | None]]:
    """Give every custodian and witness an address, and let the test say which host answers there."""
    hosts: dict[str, Host | None] = dict.fromkeys((*CUSTODIANS, *WITNESSES), ELSEWHERE)
    with ExitStack() as opened:
        at = {}
        for name in hosts:
            at[name] = opened.enter_context(Peer([_identity_of(hosts, name)])).address
        config = read_config(root / "server", ServerConfig)
        config = replace(
            config,
            custodians={name: at[name] for name in CUSTODIANS},
            witnesses={name: at[name] for name in WITNESSES},
        )
        write_config(root / "server", config)
        yield hosts


def test_it_runs_where_nobody_else_runs(root: Path, elsewhere: dict[str, Host | None]) -> None:
    server = open_server(root / "server", SystemClock())
    try:
        assert "share" not in server.health().why
        assert "answered" not in server.health().why
    finally:
        server.close()


@pytest.mark.parametrize("name", ["second", "example.org/w1"])
def test_it_refuses_to_start_beside_a_custodian_or_a_witness(
    root: Path, elsewhere: dict[str, Host | None], name: str
) -> None:
    elsewhere[name] = this_host()
    with pytest.raises(SharedHostError, match=name):
        open_server(root / "server", SystemClock())
    elsewhere[name] = ELSEWHERE
    open_server(root / "server", SystemClock()).close()  # it let go of its stores


def test_the_command_ends_with_3_when_it_refuses(root: Path, elsewhere: dict[str, Host | None]) -> None:
    elsewhere["first"] = this_host()
    command("serve", "run", "--home", root / "server", "--port", 0, code=3)


def test_it_opens_nothing_while_one_has_not_said_where_it_runs(
    root: Path, elsewhere: dict[str, Host | None]
) -> None:
    elsewhere["third"] = None
    server = open_server(root / "server", SystemClock())
    try:
        server._published = True  # noqa: SLF001  as if the witnesses had cosigned: only the host is missing
        with pytest.raises(UnavailableError, match="custodian third"):
            server.demand_ready()
    finally:
        server.close()


def test_a_custodian_of_three_pins_the_document_it_signed(root: Path) -> None:
    document = root / "document.json"
    found = read_document(document)
    given = ("--hash", found.hash(ProgrammeDocument))
    for home in ("c0", "c1", "c2"):
        command("custodian", "pin", document, "--home", root / home, *given)
        command("custodian", "pin", document, "--home", root / home, "--hash", "A" * 43, code=3)
    for home in ("w0", "w1"):
        command("witness", "pin", document, "--home", root / home, *given)


def _identity_of(hosts: dict[str, Host | None], name: str) -> Answer:
    """Answer with whatever host the test has put down for ``name``."""

    def send(link: socket.socket) -> None:
        host = hosts[name]
        if host is None:
            return answer(503, b"")(link)
        told = Identity(
            name="x", role="witness", epoch=1, key_set=None, document=None, signing="A" * 43, host=host
        )
        return answer(200, write_body(told))(link)

    return send


def _people(folder: Path) -> str:
    keys = {path.stem: load_signing(path).public for path in folder.iterdir() if path.stem != "openings"}
    lines = [f"recovery = {_list(keys, 'r1', 'r2', 'r3')}", f"lift = {_list(keys, 'l1', 'l2')}"]
    hpke = load_hpke(folder / "openings.json").public.text
    lines += ["[auditor]", "epoch = 1", f'hpke = "{hpke}"', f'signing = "{keys["audit"]}"']
    for name, role in PEOPLE.items():
        lines += ["[[member]]", f'name = "{name}"', f'roles = ["{role}"]', f'key = "{keys[name]}"']
    return "\n".join(lines)


def _list(keys: dict[str, str], *names: str) -> str:
    return "[" + ", ".join(f'"{keys[name]}"' for name in names) + "]"
