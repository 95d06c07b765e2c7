"""The script of the demonstration: each stage is a few commands and a check of what they printed.

Rules

* Every stage says in one line what happened and adds its facts to the summary; a stage whose check fails
  ends the demonstration with exit code 1.
* Participants, requests and recordings are synthetic, and are called so. What they type, they type with real
  key presses into a real browser, and the recorder is the product's.
* What the stage claims is measured in it: bytes are compared, entries counted, strings searched for.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from understudy.demo.commands import StageError, ask, run_command
from understudy.demo.episodes import plan
from understudy.demo.evidence import Evidence, held_hashes
from understudy.demo.participant import Participant
from understudy.formats.recording.manifest import Outcome

REFUSED: Final = 3
UNVERIFIED: Final = 4
PARTICIPANTS: Final = 2
TASK_SECONDS: Final = 0.5
STREAMS: Final = ("input", "elements", "frames", "text-values")
SHEET_FILES: Final = 24
PAGE_FACES: Final = ("14px Arial", "12px Arial")
"""How the demonstration's own pages write (``demo/pages``)."""

Summary = dict[str, Any]
Stage = Callable[[], tuple[str, Summary]]
Tell = Callable[[int, int], None]
"""Told how many episodes are done, and of how many."""


class Demo:
    """One run: its folder, its address, and what has happened so far.

    Args:
        folder: everything of this run goes there.
        port: of the server; custodian and witness take the next two.
        seed: of everything that is random in it.
        canaries: the planted strings.

    Attributes:
        tell: told how far the recording is.
    """

    def __init__(self, folder: Path, *, port: int, seed: int, canaries: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.port = port
        self.server = f"http://127.0.0.1:{port}"
        self.custodian = f"http://127.0.0.1:{port + 1}"
        self.seed = seed
        self.canaries = canaries
        self.tell: Tell = lambda _done, _total: None
        self.participants = tuple(
            Participant(number, folder, server=self.server) for number in range(1, PARTICIPANTS + 1)
        )
        self.evidence = Evidence(self.participants, folder)
        self.hashes: dict[str, str] = {}
        self.figures: list[Summary] = []
        self.grant = ""

    @property
    def planted(self) -> list[str]:
        """The planted strings."""
        return [line.strip() for line in self.canaries.read_text().splitlines() if line.strip()]

    @property
    def people_place(self) -> tuple[str, ...]:
        """Where people's commands find the server, and the document they hold it to."""
        return ("--server", self.server, "--document", str(self.home / "document.json"))

    def person(self, name: str) -> str:
        """Return the key file of one of the programme's people."""
        return str(self.home / "people" / f"{name}.json")

    def start(self) -> tuple[str, Summary]:
        """Three processes, their keys, the signed programme document, the first lift."""
        ran = ask("up", "--home", str(self.home), "--port", str(self.port), "--delays", "demo", "--detach")
        facts = {"server": self.server, "processes": 3, "one_operator": True}
        processes = ", ".join(sorted(ran.get("pids", {}))) or "server, custodian, witness"
        return f"{processes} run here under one operator, who could read: never run it so for real", facts

    def enrol(self) -> tuple[str, Summary]:
        """Synthetic participants pin the programme by the custodian's word, enrol and consent."""
        shown = ask("custodian", "show", "--custodian", self.custodian)
        tags, purposes = [], ()
        for participant in self.participants:
            made = ask("device", "create", "--pin", shown["document"], *participant.place)
            run_command("device", "enrol", *participant.place)
            wanted = ("--purpose", "train", "--purpose", "evaluate")
            streams = tuple(word for stream in STREAMS for word in ("--stream", stream))
            given = ask("device", "consent", *wanted, *streams, "--yes", *participant.place)
            tags.append(made["tag"])
            purposes = given["purposes"]
        facts = {"participants": len(tags), "tags": tags, "purposes": purposes, "streams": list(STREAMS)}
        return f"{len(tags)} synthetic participants enrolled and said yes to train and evaluate", facts

    def record(self) -> tuple[str, Summary]:
        """Both work at once, each on a display of their own, and the recorder runs on each."""
        plans = plan(self.planted, seed=self.seed, participants=len(self.participants))
        with ExitStack() as stack:
            for participant, episodes in zip(self.participants, plans, strict=True):
                stack.enter_context(participant)
                participant.start(episodes, seed=self.seed * 100 + participant.number)
            self._wait_for_the_people()
            self.figures = [participant.stop() for participant in self.participants]
        results = [result for participant in self.participants for result in participant.results]
        done = sum(result.outcome is Outcome.SUCCEEDED for result in results)
        facts: Summary = {
            **{
                name: sum(figure[name] for figure in self.figures)
                for name in ("events", "actions", "segments")
            },
            "frames": sum(figure["frames"] for figure in self.figures),
            "recordings": sum(len(figure["recordings"]) for figure in self.figures),
            "episodes": len(results),
            "succeeded": done,
            "tasks": sorted({result.task for result in results}),
        }
        return (
            (
                f"{facts['recordings']} episodes of {len(facts['tasks'])} tasks on two displays at once: "
                f"{facts['events']:,} input events became {facts['actions']} actions; {done} tasks done"
            ),
            facts,
        )

    def cost(self) -> tuple[str, Summary]:
        """What the recorder cost, capture, redaction and indicator together."""
        worst = max(figure["cpu_percent"] for figure in self.figures)
        each = [figure["cpu_percent"] for figure in self.figures]
        return f"at most {worst} % of a core for each recorder", {"cpu_percent": worst, "each": each}

    def redact(self) -> tuple[str, Summary]:
        """What redaction replaced before anything was held."""
        spans = sum(figure["spans"] for figure in self.figures)
        return f"{spans:,} spans replaced or masked on the devices", {"spans": spans}

    def review(self) -> tuple[str, Summary]:
        """The synthetic people look at what is held, and share it by the command that a person would use."""
        listed = segments = receipts = 0
        for participant in self.participants:
            listed += len(ask("review", "list", "--device", str(participant.device))["held"])
            self.hashes |= held_hashes(participant.device)
            shared = ask("review", "share", "--all", "--now", *participant.place)
            segments += len(shared["shared"])
            receipts += shared["receipts"]
        sealed = self.evidence.sealed_bytes(self.home)
        facts = {"recordings": listed, "segments": segments, "receipts": receipts}
        self.evidence.sealed = {"bytes": sealed, "segments": segments}
        return f"{listed} recordings shared: {segments} segments sealed, {receipts} custodian receipts", facts

    def seal(self) -> tuple[str, Summary]:
        """What lies on the server now."""
        sealed = self.evidence.sealed
        return f"{sealed['bytes']:,} bytes of ciphertext on the server", sealed

    def request(self) -> tuple[str, Summary]:
        """A researcher asks; two approvers sign the exact grant."""
        made = ask(
            *("request", "create", "--key", self.person("researcher"), "--reader", self.person("reader")),
            *("--purpose", "train", "--reason", "model-improvement", "--ticket", "DEMO-1"),
            *("--ceiling", "10000", *self.people_place),
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
        """Opened through the door, and compared byte by byte with what the devices held."""
        out = self.evidence.opened
        opened = ask(*self._open_arguments(), "--out", str(out))["opened"]
        equal = len(opened) == len(self.hashes) and self.evidence.opened_hashes() == self.hashes
        if not equal:
            raise StageError("what was opened differs from what the devices held")
        for path in sorted(out.iterdir()):
            run_command("recording", "check", str(path))
        return f"{len(opened)} segments opened, every byte equal", {
            "segments": len(opened),
            "bytes_equal": equal,
        }

    def sheet(self) -> tuple[str, Summary]:
        """A picture of what a reader sees."""
        path = self.folder / "contact-sheet.png"
        files = [str(file) for file in self.evidence.for_the_sheet(SHEET_FILES)]
        run_command("recording", "sheet", *files, "--out", str(path))
        return f"what a reader sees is in {path.name}", {"file": path.name, "recordings": len(files)}

    def truth(self) -> tuple[str, Summary]:
        """Recorded actions against what the hands really did."""
        facts = self.evidence.compare()
        self.evidence.write_differences()
        return (
            (
                f"{facts['matched']} of {facts['actions']} demonstrated actions recorded right, "
                f"{facts['invented']} invented"
            ),
            facts,
        )

    def prestate(self) -> tuple[str, Summary]:
        """How many pointer actions carry the state from before the pointer was there."""
        pointed = sum(figure["pointer_actions"] for figure in self.figures)
        before = sum(figure["pointer_before"] for figure in self.figures)
        share = round(before / pointed, 4) if pointed else 0.0
        facts = {"pointer_actions": pointed, "before_pointer": share}
        return f"{before} of {pointed} pointer actions with the state from before the pointer", facts

    def passwords(self) -> tuple[str, Summary]:
        """Key events with an identity inside what the hands know to be a secret."""
        facts = self.evidence.passwords()
        if facts["key_events"]:
            raise StageError(f"{facts['key_events']} key events of passwords were captured")
        return f"0 key events in {facts['spans']} stretches of typing a secret", facts

    def search(self) -> tuple[str, Summary]:
        """The planted strings, looked for in stores and contents; each search has its control."""
        self.evidence.make_control()
        kinds = ("store", "content")
        found = {kind: self._search(kind, self.evidence.searched(kind, self.home)) for kind in kinds}
        control = {kind: self._search(kind, [self.evidence.control], control=True) for kind in kinds}
        planted = len(self.planted)
        facts = {
            "planted": planted,
            **{f"{kind}_found": found[kind]["found"] for kind in kinds},
            **{f"{kind}_control": control[kind]["found"] for kind in kinds},
            "pixels_found": found["content"]["found_in_frames"],
            "pixels_control": control["content"]["found_in_frames"],
            "files": found["store"]["files"],
            "bytes": found["store"]["bytes"],
            "texts": found["content"]["strings"],
            "frames": found["content"]["frames"],
            "password_parts": len(found["content"]["password_hits"]),
        }
        self.evidence.write_search({"found": found, "control": control})
        leaked = facts["store_found"] or facts["content_found"] or facts["password_parts"]
        if leaked or any(facts[f"{kind}_control"] < planted for kind in kinds):
            raise StageError(f"planted strings: {facts}; see {self.evidence.search_file.name}")
        return f"{planted} planted strings: 0 in stores, 0 in contents; both controls find all", facts

    def mine(self) -> tuple[str, Summary]:
        """Who read mine: each participant's own complete, verified list."""
        listed = 0
        for participant in self.participants:
            mine = ask("log", "mine", *participant.place, "--custodian", self.custodian)
            read = {segment for entry in mine["reads"] for segment in entry["segments"]}
            if read != {name for name in self.hashes if name in self.evidence.shared_by(participant)}:
                raise StageError("a participant's list does not show exactly what was read")
            listed += len(mine["reads"])
        return f"the participants see {listed} reads, and that none is missing", {"reads_listed": listed}

    def verify(self) -> tuple[str, Summary]:
        """The exported log, verified offline against the pinned keys."""
        tree = self.evidence.log
        as_auditor = ("--entries", "--key", self.person("auditor"))
        run_command("log", "export", "--out", str(tree), *as_auditor, "--server", self.server)
        document = self.participants[0].device / "document.json"
        checked = ask("log", "verify", str(tree), "--document", str(document))
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

    def stages(self) -> tuple[tuple[str, Stage], ...]:
        """Return the stages in order, each under its key of the summary."""
        return (
            ("start", self.start),
            ("enrolled", self.enrol),
            ("recorded", self.record),
            ("recorder", self.cost),
            ("redaction", self.redact),
            ("shared", self.review),
            ("sealed", self.seal),
            ("granted", self.request),
            ("opened", self.open),
            ("sheet", self.sheet),
            ("truth", self.truth),
            ("prestate", self.prestate),
            ("password", self.passwords),
            ("log", self.verify),
            ("canaries", self.search),
            ("participant", self.mine),
            ("suspension", self.suspend),
        )

    def _wait_for_the_people(self) -> None:
        """Wait until both are done, and tell how far they are."""
        total = sum(participant.planned for participant in self.participants)
        while True:
            are_done = [participant.is_done for participant in self.participants]
            finished = sum(len({result.planned for result in each.results}) for each in self.participants)
            self.tell(finished, total)
            if all(are_done):
                return
            time.sleep(TASK_SECONDS)

    def _search(self, kind: str, folders: Sequence[Path], *, control: bool = False) -> Summary:
        words = tuple(word for folder in folders for word in (f"--{kind}", str(folder)))
        more: tuple[str, ...] = ("--control",) if control else ()
        if kind == "content":
            more += tuple(word for face in PAGE_FACES for word in ("--face", face))
            more += () if control else ("--passwords", str(self.evidence.passwords_file()))
        # Exit 4 says that something was found, or for a control that something was not: the figures tell.
        asked = ("canary", "search", "--canaries", str(self.canaries), *words, *more)
        found: Summary = ask(*asked, expect=(0, UNVERIFIED))[kind]
        return found

    def _open_arguments(self) -> tuple[str, ...]:
        reason = ("--reason", "model-improvement")
        key = ("--key", self.person("reader"))
        return ("grant", "open", self.grant, *key, *reason, *self.people_place)
