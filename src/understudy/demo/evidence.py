"""What the demonstration measures its claims against: truth logs, opened recordings, controls.

Rules

* Nothing here is taken from what a stage said about itself: files are read again, and compared.
* Passwords and truth are of synthetic people. They lie in files that only the owner can read.

Example: ``Evidence(participants, folder).compare()["matched"]``.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from understudy.demo.kept import keys_within, replay
from understudy.demo.matching import Comparison, compare_episode
from understudy.demo.participant import Participant
from understudy.demo.truth import TruthEpisode
from understudy.formats.recording.reader import RecordingReader
from understudy.recorder.device import Device
from understudy.recorder.held import HeldStore
from understudy.recorder.outbox import Outbox

SHORTEST_SECRET: Final = 4

Facts = dict[str, Any]


class Evidence:
    """The files that the claims are held against.

    Args:
        participants: who took part.
        folder: of the demonstration.
    """

    def __init__(self, participants: Sequence[Participant], folder: Path) -> None:
        self._participants: Final = participants
        self.opened: Final = folder / "opened"
        self.control: Final = folder / "control"
        self.log: Final = folder / "log"
        self.search_file: Final = folder / "search.json"
        self._differences_file: Final = folder / "differences.json"
        self._passwords_file: Final = folder / "passwords.txt"
        self._differences: list[Facts] = []
        self.sealed: Facts = {}

    def opened_hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every opened payload, by segment id."""
        return {path.stem: _hash(path.read_bytes()) for path in self.opened.iterdir()}

    def sealed_bytes(self, home: Path) -> int:
        """Return how many bytes of segments lie in the server's object store."""
        return sum(path.stat().st_size for path in (home / "server" / "objects").rglob("*") if path.is_file())

    def shared_by(self, participant: Participant) -> set[str]:
        """Return the segments that a participant's device says it shared."""
        return {entry.segment for entry in Outbox(Device(participant.device)).entries()}

    def for_the_sheet(self, limit: int) -> list[Path]:
        """Return opened files for the contact sheet: the first of each task, then more, at most ``limit``."""
        first: dict[str, Path] = {}
        rest = []
        for path in sorted(self.opened.iterdir()):
            with path.open("rb") as source:
                task = RecordingReader(source).manifest.task
            if first.setdefault(task, path) != path:
                rest.append(path)
        return [*first.values(), *rest][:limit]

    def compare(self) -> Facts:
        """Return how much of what was done was recorded right, and how much was invented."""
        done = matched = invented = missing = 0
        by_recording = self._opened_by_recording()
        for episode in self._episodes():
            segments = by_recording.get(episode.began.recording or "", [])
            missing += not segments
            with ExitStack() as stack:
                readers = [RecordingReader(stack.enter_context(path.open("rb"))) for path in segments]
                compared = compare_episode(episode, readers)
            done += compared.actions
            matched += compared.matched
            invented += len(compared.invented)
            self._differences += _differences(episode, compared)
        return {
            "actions": done,
            "matched": matched,
            "invented": invented,
            "episodes_without_recording": missing,
            "reasons": dict(Counter(f"{each['kind']}: {each['reason']}" for each in self._differences)),
        }

    def write_differences(self) -> None:
        """Write what did not match, without any text that was typed."""
        self._differences_file.write_text(json.dumps(self._differences, indent=1) + "\n")

    def passwords(self) -> Facts:
        """Return how many key events with an identity were captured while a secret was typed."""
        events = spans = 0
        for participant in self._participants:
            secret = [(span.began, span.ended) for episode in participant.truth for span in episode.secure]
            spans += len(secret)
            events += keys_within(participant.kept, secret)
        return {"key_events": events, "spans": spans}

    def passwords_file(self) -> Path:
        """Return a file with every secret that was typed and stood nowhere in clear."""
        secrets = {
            action.text
            for episode in self._episodes()
            for action in episode.actions
            if action.secure and not action.shown and action.text and len(action.text) >= SHORTEST_SECRET
        }
        self._passwords_file.touch(mode=0o600)
        self._passwords_file.write_text("".join(f"{secret}\n" for secret in sorted(secrets)))
        return self._passwords_file

    def make_control(self) -> None:
        """Write what was captured, neither redacted nor sealed."""
        for participant in self._participants:
            replay(participant.kept, self.control)

    def searched(self, kind: str, home: Path) -> list[Path]:
        """Return the folders that a search goes through.

        The store search takes everything at rest of server, custodian, witness and devices; the content
        search everything that left the devices, opened.
        """
        if kind == "store":
            return [home, *(participant.device for participant in self._participants)]
        return [self.opened, self.log]

    def write_search(self, reports: Facts) -> None:
        """Write the full reports of the searches; they name canaries by number only."""
        self.search_file.write_text(json.dumps(reports, indent=1) + "\n")

    def _episodes(self) -> Iterable[TruthEpisode]:
        return [episode for participant in self._participants for episode in participant.truth]

    def _opened_by_recording(self) -> dict[str, list[Path]]:
        found: dict[str, list[tuple[int, Path]]] = {}
        for path in self.opened.iterdir():
            with path.open("rb") as source:
                manifest = RecordingReader(source).manifest
            found.setdefault(manifest.recording, []).append((manifest.ordinal, path))
        return {name: [path for _, path in sorted(paths)] for name, paths in found.items()}


def held_hashes(home: Path) -> dict[str, str]:
    """Return the SHA-256 of every segment that a device holds, as the person's own key opens it."""
    held = HeldStore(Device(home))
    return {
        segment: _hash(payload)
        for recording in held.recordings()
        for segment, payload in held.payloads(recording.recording).items()
    }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _differences(episode: TruthEpisode, compared: Comparison) -> list[Facts]:
    return [
        {
            "kind": kind,
            "task": episode.began.task,
            "seed": episode.began.seed,
            "recording": episode.began.recording,
            "place": each.place,
            "act": each.act,
            "reason": each.reason,
        }
        for kind, mismatches in (("missed", compared.missed), ("invented", compared.invented))
        for each in mismatches
    ]
