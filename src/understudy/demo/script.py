"""The script of the demonstration: each stage is a few commands and a check of what they printed.

Rules

* Every stage says in one line what happened and adds its facts to the summary; a stage whose check fails
  ends the demonstration with exit code 1.
* Participants, requests and recordings are synthetic, and are called so.
* What the stage claims is measured in it: bytes are compared, entries counted, strings searched for.
"""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from understudy.demo.commands import StageError, ask, run_command

REFUSED: Final = 3
SEGMENTS: Final = 2
CANARY_COUNT: Final = 4

Summary = dict[str, Any]


class Demo:
    """One run: its folder, its address, and what has happened so far."""

    def __init__(self, folder: Path, *, port: int, seed: int, canaries: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.device = folder / "device"
        self.port = port
        self.server = f"http://127.0.0.1:{port}"
        self.custodian = f"http://127.0.0.1:{port + 1}"
        self.seed = seed
        self.canaries = canaries
        self.recording = ""
        self.segments: list[str] = []
        self.grant = ""

    def person(self, name: str) -> str:
        """Return the key file of one of the programme's people."""
        return str(self.home / "people" / f"{name}.json")

    @property
    def people_place(self) -> tuple[str, ...]:
        """Where people's commands find the server, and the document they hold it to."""
        return ("--server", self.server, "--document", str(self.home / "document.json"))

    def start(self) -> tuple[str, Summary]:
        """Three processes, their keys, the signed programme document, the first lift."""
        ran = ask("up", "--home", str(self.home), "--port", str(self.port), "--delays", "demo", "--detach")
        facts = {"server": self.server, "processes": 3, "one_operator": True}
        processes = ", ".join(sorted(ran.get("pids", {}))) or "server, custodian, witness"
        return f"{processes} run here under one operator, who could read: never run it so for real", facts

    def enrol(self) -> tuple[str, Summary]:
        """A synthetic participant pins the programme by the custodian's word, enrols and consents."""
        shown = ask("custodian", "show", "--custodian", self.custodian)
        place = ("--device", str(self.device), "--server", self.server)
        made = ask("device", "create", "--pin", shown["document"], *place)
        run_command("device", "enrol", *place)
        purposes = ("--purpose", "train", "--purpose", "evaluate")
        given = ask("device", "consent", *purposes, "--yes", *place)
        facts = {"tag": made["tag"], "purposes": given["purposes"]}
        return "a synthetic participant enrolled and said yes to train and evaluate", facts

    def record(self) -> tuple[str, Summary]:
        """A synthetic recording under real leases, held under the personal key."""
        made = ask(
            *("recording", "synthetic", "--device", str(self.device), "--server", self.server),
            *("--seed", str(self.seed), "--segments", str(SEGMENTS), "--seconds", "1"),
            *("--canaries", str(self.canaries), "--keep-plain", str(self.folder / "plain")),
        )
        self.recording, self.segments = made["recording"], made["segments"]
        plain = [self._plain(segment) for segment in self.segments]
        for path in plain:
            run_command("recording", "check", str(path))
        size = sum(path.stat().st_size for path in plain)
        facts = {"segments": len(self.segments), "bytes": size, "problems": 0}
        return f"{len(self.segments)} synthetic segments, {size:,} bytes, held for review", facts

    def share(self) -> tuple[str, Summary]:
        """Sealed in two halves and uploaded; shared once the custodian's receipt is here."""
        place = ("--device", str(self.device), "--server", self.server)
        shared = ask("recording", "share", self.recording, "--now", *place)
        facts = {"segments": len(shared["shared"]), "receipts": shared["receipts"]}
        return (
            f"{facts['segments']} segments sealed and uploaded, {facts['receipts']} custodian receipts",
            facts,
        )

    def request(self) -> tuple[str, Summary]:
        """A researcher asks; two approvers sign the exact grant."""
        made = ask(
            *("request", "create", "--key", self.person("researcher"), "--reader", self.person("reader")),
            *("--purpose", "train", "--reason", "model-improvement", "--ticket", "DEMO-1"),
            *self.people_place,
        )
        state: Summary = {}
        for approver in ("approver-1", "approver-2"):
            place = ("--key", self.person(approver), *self.people_place)
            state = ask("request", "approve", made["request"], "--yes", *place)
        self.grant = state["grant"]
        if state["state"] != "in-force":
            raise StageError("two approvals did not bring the grant into force")
        return f"request {made['request']}: {state['approvals']} approvals", {"approvals": state["approvals"]}

    def open(self) -> tuple[str, Summary]:
        """Opened through the door, and compared byte by byte with what the device recorded."""
        out = self.folder / "opened"
        opened = ask(*self._open_arguments(), "--out", str(out))["opened"]
        equal = len(opened) == len(self.segments) and all(
            (out / f"{name}.understudy").read_bytes() == self._plain(name).read_bytes()
            for name in self.segments
        )
        if not equal:
            raise StageError("what was opened differs from what was recorded")
        return f"{len(opened)} segments opened, every byte equal", {
            "segments": len(opened),
            "bytes_equal": equal,
        }

    def mine(self) -> tuple[str, Summary]:
        """Who read mine: the participant's own complete, verified list."""
        place = ("--device", str(self.device), "--server", self.server, "--custodian", self.custodian)
        mine = ask("log", "mine", *place)
        listed = len(mine["reads"])
        if listed != 1 or set(mine["reads"][0]["segments"]) != set(self.segments):
            raise StageError("the participant's list does not show exactly the one read")
        purpose = mine["reads"][0]["purpose"]
        return f"the participant sees {listed} read, to {purpose}, and that none is missing", {
            "reads_listed": listed
        }

    def search(self) -> tuple[str, Summary]:
        """The planted strings, looked for in every byte at rest; the control is the same content unsealed."""
        planted = [line for line in self.canaries.read_text().splitlines() if line]
        at_rest = _count_hits(self.home, planted) + _count_hits(self.device, planted)
        control = _control_hits(self.folder / "opened", planted)
        if at_rest or control < len(planted):
            raise StageError(
                f"planted strings: {at_rest} at rest, {control} of {len(planted)} in the control"
            )
        facts = {"canaries": len(planted), "store_hits": at_rest, "control_hits": control}
        return f"{len(planted)} planted strings: 0 in the stores, {control} in the opened control", facts

    def verify(self) -> tuple[str, Summary]:
        """The exported log, verified offline against the pinned keys."""
        tree = self.folder / "log"
        as_auditor = ("--entries", "--key", self.person("auditor"))
        run_command("log", "export", "--out", str(tree), *as_auditor, "--server", self.server)
        checked = ask("log", "verify", str(tree), "--document", str(self.device / "document.json"))
        facts = {"entries": checked["size"], "verified": checked["ok"]}
        return f"{checked['size']} entries verified offline, cosigned by the witness", facts

    def suspend(self) -> tuple[str, Summary]:
        """One signature stops reads; the same open is now refused."""
        started = time.monotonic()
        place = ("--key", self.person("steward"), "--server", self.server, "--custodian", self.custodian)
        run_command("suspend", "reads", "--because", "demonstration", *place)
        refused = run_command(*self._open_arguments(), expect=(REFUSED,))
        seconds = round(time.monotonic() - started, 2)
        facts = {"open_refused": refused.returncode == REFUSED, "seconds": seconds}
        return f"reads suspended by one signature; the next open was refused after {seconds} s", facts

    def stages(self) -> tuple[tuple[str, Callable[[], tuple[str, Summary]]], ...]:
        """Return the stages in order, each under its key of the summary."""
        return (
            ("start", self.start),
            ("participant_enrolled", self.enrol),
            ("recorded", self.record),
            ("shared", self.share),
            ("granted", self.request),
            ("opened", self.open),
            ("participant", self.mine),
            ("search", self.search),
            ("log", self.verify),
            ("suspension", self.suspend),
        )

    def _open_arguments(self) -> tuple[str, ...]:
        reason = ("--reason", "model-improvement")
        key = ("--key", self.person("reader"))
        return ("grant", "open", self.grant, *key, *reason, *self.people_place)

    def _plain(self, segment: str) -> Path:
        return self.folder / "plain" / f"{segment}.understudy"


def plant_canaries(path: Path, seed: int) -> None:
    """Write strings that occur nowhere else, one a line, for the search stage."""
    digests = (hashlib.sha256(f"understudy demo {seed} {number}".encode()) for number in range(CANARY_COUNT))
    path.write_text("".join(f"zq{digest.hexdigest()[:14]}\n" for digest in digests))


def write_summary(path: Path, summary: Summary) -> None:
    """Write ``summary.json``, sorted."""
    path.write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")


def _count_hits(folder: Path, planted: list[str]) -> int:
    """Return how many (file, string) pairs there are in which the string stands in clear."""
    needles = [text.encode() for text in planted]
    contents = (path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return sum(needle in content for content in contents for needle in needles)


def _control_hits(folder: Path, planted: list[str]) -> int:
    """Return how many of the strings stand in the recordings once they are opened and decoded."""
    shown = [
        run_command("recording", "show", str(path), "--json").stdout for path in sorted(folder.iterdir())
    ]
    return sum(any(needle in text for text in shown) for needle in planted)
