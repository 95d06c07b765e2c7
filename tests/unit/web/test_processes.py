"""Three real processes: they begin, they die without notice, and what was acknowledged is there again."""

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.unit.web.machine import Machine, understudy
from understudy.cli import run
from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.client.reader import Reader
from understudy.consent.clock import SystemClock
from understudy.consent.errors import RefusedError
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity, ReasonCode
from understudy.contract.auth import sign_request
from understudy.contract.messages import SegmentEntry
from understudy.contract.routes import CIPHERTEXT, OPENS
from understudy.custody.grant import Grant
from understudy.sealing.signing import Signed, document_hash
from understudy.transparency.trust import log_trust
from understudy.web.listening import listen
from understudy.web.one_machine import ONE_OPERATOR
from understudy.web.supervisor import RUN_FILE


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Return a machine that runs. Tests leave it running and lifted."""
    with Machine(tmp_path_factory.mktemp("machine") / "home") as started:
        yield started


@pytest.fixture(scope="module")
def shared(machine: Machine) -> "Shared":
    """Return what one device has shared, and a grant for it."""
    return Shared(machine)


class Shared:
    """One segment that was shared, one whose upload is begun, and a grant in force."""

    def __init__(self, machine: Machine) -> None:
        server, device = machine.server, machine.home.parent / "device"
        self.document = server.document().verify(ProgrammeDocument)
        self.segment, call, self.ciphertext = machine.seal(device, 1)
        server.begin_upload(call)
        state = server.append_upload(self.segment, 0, self.ciphertext)
        assert len(state.receipts) == 1
        people, at = machine.home / "people", ("--server", machine.ports.address("server"))
        asked = ("--purpose", "train", "--reason", "model-improvement", "--ticket", "T-1", *at)
        readers = ("--key", str(people / "researcher.json"), "--reader", str(people / "reader.json"))
        assert run(["request", "create", *readers, *asked]) == 0
        (waiting,) = server.requests()
        request = re.search(r'"request":"(req_[^"]+)"', waiting.request.raw.decode())
        assert request is not None
        for name in ("approver-1", "approver-2"):
            key = ("--key", str(people / f"{name}.json"))
            assert run(["request", "approve", request[1], "--yes", *key, *at]) == 0
        (granted,) = server.requests()
        assert granted.grant is not None
        self.grant: Signed = granted.grant
        self.opened = self.open(machine)

    def entries(self, machine: Machine) -> list[SegmentEntry]:
        page = machine.server.segments(machine.person("reader"), grant=self.grant.hash(Grant))
        return [entry for entry in page.segments if entry.segment == self.segment]

    def open(self, machine: Machine) -> bytes:
        """Open the shared segment through the door and return what was recorded."""
        reader = Reader(machine.server, self.document, machine.person("reader"), SystemClock())
        reason, grant = ReasonCode.MODEL_IMPROVEMENT, self.grant.hash(Grant)
        ((_, payload),) = reader.open(grant, reason, self.entries(machine))
        return payload


def test_three_processes_say_who_they_are_and_go_by_one_document(machine: Machine) -> None:
    running = machine.running
    assert sorted(running["pids"]) == ["custodian", "server", "witness"]
    assert len({*running["pids"].values(), running["pid"]}) == 4
    custodian = HttpCustodian(Connection(running["custodian"])).identity()
    server = machine.server.identity()
    assert (custodian.role, server.role) == ("custodian", "server")
    assert custodian.document == server.document == running["document"]
    assert custodian.key_set == server.key_set == running["key_set"]


def test_one_operator_is_told_what_that_means(machine: Machine) -> None:
    said = (machine.home / "supervisor.log").read_text()
    assert ONE_OPERATOR in said
    assert "one user holds them all" in said
    assert "consent_batch_seconds" in said
    assert "first lift" in said


def test_the_page_says_what_runs_and_loads_nothing(machine: Machine) -> None:
    answer = httpx.get(machine.ports.address("server") + "/", trust_env=False)
    text = answer.text
    assert "is not held against the operator" in text
    assert "Stopped at the server: nothing" in text
    assert "understudy.local/log" in text
    assert not re.search(r"<(script|link|img|iframe|style)\b|\bsrc=|\bhref=", text)


def test_the_metrics_hold_no_count_of_calls(machine: Machine) -> None:
    text = httpx.get(machine.ports.address("server") + "/metrics", trust_env=False).text
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    assert names == {
        "understudy_ready",
        "understudy_log_entries",
        "understudy_log_cosigned_seconds",
        "understudy_off",
    }


def test_a_second_start_in_one_home_is_refused(machine: Machine) -> None:
    said = understudy("up", "--home", str(machine.home), code=1).stderr
    assert said.startswith("understudy: error: ")
    assert "runs already" in said


def test_an_upload_that_breaks_off_leaves_only_whole_pieces(machine: Machine, shared: Shared) -> None:
    segment, call, ciphertext = machine.seal(machine.home.parent / "device", 2)
    server = machine.server
    assert server.begin_upload(call).offset == 0
    first = server.append_upload(segment, 0, ciphertext[:1_000])
    assert first.offset == 1_000
    _send_and_hang_up(machine, segment, 1_000, ciphertext[1_000:5_000], announced=4_000_000)
    assert server.begin_upload(call).offset == 1_000
    done = server.append_upload(segment, 1_000, ciphertext[1_000:])
    assert len(done.receipts) == 1


@pytest.mark.parametrize("offset", ["", "-1", "x", "1" * 30])
def test_an_offset_that_is_none_is_refused(machine: Machine, shared: Shared, offset: str) -> None:
    target = f"{machine.ports.address('server')}/v1/uploads/{shared.segment}?offset={offset}"
    assert httpx.put(target, content=b"x", trust_env=False).status_code == 400


@pytest.mark.parametrize(
    ("asked", "status"),
    [("bytes=0-15", 206), ("bytes=-4", 206), ("bytes=99999999-", 416), ("lines=1-2", 200)],
)
def test_ciphertext_can_be_had_in_ranges(machine: Machine, shared: Shared, asked: str, status: int) -> None:
    target = CIPHERTEXT.target({"segment": shared.segment})
    header = sign_request(
        machine.person("reader"),
        audience=shared.document.key_set.server,
        method="GET",
        target=target,
        now=SystemClock().now(),
    )
    answer = httpx.get(
        machine.ports.address("server") + target,
        headers={"authorization": header, "range": asked},
        trust_env=False,
    )
    assert answer.status_code == status
    expected = {
        "bytes=0-15": shared.ciphertext[:16],
        "bytes=-4": shared.ciphertext[-4:],
        "lines=1-2": shared.ciphertext,
    }
    if asked in expected:
        assert answer.content == expected[asked]


@pytest.mark.parametrize("party", ["witness", "custodian", "server"])
def test_a_party_killed_without_notice_is_back_with_all_it_had(
    machine: Machine, shared: Shared, party: str
) -> None:
    trust, before = log_trust(shared.document.key_set), machine.server.checkpoint()
    pid = machine.kill(party)
    machine.wait(lambda: machine.running["pids"][party] != pid)
    machine.wait_ready(party)
    assert shared.open(machine) == shared.opened
    after = trust.verify(machine.server.checkpoint()).checkpoint
    assert after.size > trust.verify(before).checkpoint.size


def test_an_open_while_the_custodian_is_down_is_answered_when_it_is_back(
    machine: Machine, shared: Shared
) -> None:
    pid = machine.kill("custodian")
    opened = b""

    def is_open() -> bool:
        nonlocal opened
        with contextlib.suppress(Exception):
            opened = shared.open(machine)
        return bool(opened)

    machine.wait(is_open)
    assert opened == shared.opened
    assert machine.running["pids"]["custodian"] != pid


def test_the_operator_of_the_custodian_stops_it_and_a_restart_does_not_lift_it(
    machine: Machine, shared: Shared
) -> None:
    custodian = str(machine.home / "custodian")
    understudy("custodian", "off", "reads", "--home", custodian)
    with pytest.raises(RefusedError) as refused:
        shared.open(machine)
    assert refused.value.reason == "switch-off"
    document = machine.running["document"]
    pids = [machine.running["pid"], *machine.running["pids"].values()]
    machine.stop()
    assert not (machine.home / RUN_FILE).exists()
    assert not any(_is_alive(pid) for pid in pids)
    understudy("custodian", "off", "reads", "--home", custodian)  # also while it is down
    machine.start()
    assert "stopped, and left so: reads" in (machine.home / "supervisor.log").read_text()
    assert machine.running["document"] == document
    status = HttpCustodian(Connection(machine.running["custodian"])).switch_status()
    assert status.off == (Activity.READS,)
    keys = [str(machine.home / "people" / f"lift-{number}.json") for number in (1, 2)]
    place = ("--server", machine.running["server"], "--custodian", machine.running["custodian"])
    understudy("lift", "reads", "--key", keys[0], "--key", keys[1], *place)
    assert shared.open(machine) == shared.opened


def test_a_supervisor_killed_without_notice_takes_its_parties_along(machine: Machine, shared: Shared) -> None:
    pids = list(machine.running["pids"].values())
    machine.stop(signal.SIGKILL)
    machine.wait(lambda: not any(_is_alive(pid) for pid in pids))
    machine.start()
    assert shared.open(machine) == shared.opened


def test_a_port_that_is_taken_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as sock:
        port = str(sock.getsockname()[1])
        said = understudy("up", "--home", str(tmp_path / "home"), "--port", port, code=1).stderr
    assert "is taken" in said
    assert "hint" in said
    assert not (tmp_path / "home" / "server").exists()


def test_profile_production_never_runs_on_one_machine(tmp_path: Path) -> None:
    said = understudy("up", "--home", str(tmp_path), "--profile", "production", code=3).stderr
    assert "never runs on one machine" in said


def test_nothing_to_stop_is_said(tmp_path: Path) -> None:
    assert "nothing runs" in understudy("down", "--home", str(tmp_path), code=1).stderr


def test_the_document_that_everybody_pinned_is_the_one_on_the_page(machine: Machine, shared: Shared) -> None:
    text = httpx.get(machine.ports.address("server") + "/", trust_env=False).text
    assert document_hash(shared.document)[:4] in text


@pytest.mark.parametrize("kind", ["announced", "chunked"])
def test_a_body_without_end_is_refused_before_it_has_arrived(machine: Machine, kind: str) -> None:
    length = "content-length: 9000000000" if kind == "announced" else "transfer-encoding: chunked"
    head = f"POST /v1/opens HTTP/1.1\r\nhost: x\r\n{length}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", machine.ports.server), timeout=10) as link:
        link.sendall(head)
        sent = 0
        with contextlib.suppress(ConnectionError, TimeoutError):
            while kind == "chunked" and sent < 64 * OPENS.body_limit:
                link.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = link.recv(65_536)
    assert sent < 64 * OPENS.body_limit
    assert kind == "chunked" or answer.startswith(b"HTTP/1.1 413")


def _send_and_hang_up(machine: Machine, segment: str, offset: int, piece: bytes, *, announced: int) -> None:
    """Announce more bytes than are sent, and break the connection."""
    with socket.create_connection(("127.0.0.1", machine.ports.server)) as link:
        lines = (
            f"PUT /v1/uploads/{segment}?offset={offset} HTTP/1.1",
            "host: x",
            f"content-length: {announced}",
        )
        link.sendall("\r\n".join((*lines, "", "")).encode() + piece)


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and was not waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    os.kill(pid, 0)
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_process_leaves_no_core_dump(machine: Machine) -> None:
    for pid in machine.running["pids"].values():
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
