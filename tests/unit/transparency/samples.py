"""A small log world for tests: synthetic drafts, keys from fixed seeds, witnesses in this process."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, field
from pathlib import Path

from understudy.consent.clock import FixedClock
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose
from understudy.sealing.signing import SigningKey
from understudy.transparency.cosigning import Cosigner, WitnessLink
from understudy.transparency.draft import DraftParticipant
from understudy.transparency.errors import WitnessUnavailableError
from understudy.transparency.leaves import OpenLeaf, encode_leaf
from understudy.transparency.note import VerifierKey
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.store import create_log
from understudy.transparency.trust import LogTrust
from understudy.transparency.witness import LocalCosigner, Witness

START = 1_700_000_000
ORIGIN = "log.example/programme"
WITNESS_NAMES = ("witness.example/a", "witness.example/b", "witness.example/c")


def digest(word: str) -> str:
    """Return a stable 32-byte digest as base64url."""
    return encode_bytes(hashlib.sha256(word.encode()).digest())


def segment(number: int) -> str:
    """Return a stable segment id; they sort by number."""
    return f"seg_{encode_bytes(number.to_bytes(16, 'big'))}"


def tag(number: int) -> str:
    """Return a stable participant tag."""
    return digest(f"tag {number}")


def participants(*numbers: int, segments: int = 1) -> dict[str, DraftParticipant]:
    """Return participants with ``segments`` segments each."""
    return {
        tag(number): DraftParticipant(
            segments=tuple(sorted(segment(number * 1_000 + place) for place in range(segments))),
            first_prev=digest(f"enrolment {number}"),
        )
        for number in numbers
    }


@dataclass(frozen=True)
class OpenDraft:
    """A draft of a real ``open`` entry."""

    request_key: str | None
    participants: Mapping[str, DraftParticipant] = field(default_factory=lambda: participants(1))
    purpose: Purpose = Purpose.TRAIN

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        """Return the leaf."""
        del index
        leaf = OpenLeaf(
            programme=f"prg_{encode_bytes(bytes(16))}",
            grant=digest("grant"),
            request=digest(str(self.request_key)),
            purpose=self.purpose,
            actor=digest("actor"),
            reader_key=digest("reader"),
            object="segments",
            policy=digest("policy"),
            time=time,
            not_after=time + 600,
            participants=len(self.participants),
            root=encode_bytes(root or b""),
        )
        return encode_leaf(leaf)


@dataclass(frozen=True)
class RawDraft:
    """A draft of any bytes, without numbers."""

    content: bytes
    request_key: str | None = None
    participants: Mapping[str, DraftParticipant] = field(default_factory=dict)

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        """Return the bytes."""
        del index, time, root
        return self.content


class Line:
    """The wire to a witness, which a test can cut."""

    def __init__(self, cosigner: Cosigner) -> None:
        self.cosigner = cosigner
        self.is_cut = False
        self.calls = 0

    def cosign(self, note: bytes, old_size: int, path: Sequence[bytes]) -> bytes:
        """Ask the witness, unless the line is cut."""
        self.calls += 1
        if self.is_cut:
            raise WitnessUnavailableError("the line is cut")
        return self.cosigner.cosign(note, old_size, path)


class World:
    """A log, its witnesses and a clock, in one folder."""

    def __init__(self, folder: Path, *, witnesses: int = 1, quorum: int = 1) -> None:
        self.folder = folder
        self.path = folder / "log.db"
        self.clock = FixedClock(START)
        self.key = SigningKey.from_seed(bytes([1]) * 32)
        self.log_key = VerifierKey.log(ORIGIN, self.key.public)
        self.names = WITNESS_NAMES[:witnesses]
        self.witness_keys = [SigningKey.from_seed(bytes([10 + place]) * 32) for place in range(witnesses)]
        self.quorum = quorum
        self.witnesses: list[Witness] = []
        self.lines: list[Line] = []

    def create(self) -> None:
        """Make the stores."""
        create_log(self.path, origin=ORIGIN, key=self.key)
        for name, key, place in zip(self.names, self.witness_keys, range(len(self.names)), strict=True):
            Witness.create(self.witness_path(place), name=name, key=key)

    def witness_path(self, place: int = 0) -> Path:
        """Return where a witness remembers."""
        return self.folder / f"witness{place}.db"

    def start_witnesses(self) -> None:
        """Start every witness on its memory."""
        self.witnesses = [
            Witness(self.witness_path(place), name=name, key=key, logs=[self.log_key], clock=self.clock)
            for place, (name, key) in enumerate(zip(self.names, self.witness_keys, strict=True))
        ]
        self.lines = [Line(LocalCosigner(witness)) for witness in self.witnesses]

    @property
    def trust(self) -> LogTrust:
        """The keys a reader would pin."""
        keys = tuple(
            VerifierKey.witness(name, key.public)
            for name, key in zip(self.names, self.witness_keys, strict=True)
        )
        return LogTrust(self.log_key, keys, self.quorum)

    def sequencer(self, **changes: object) -> Sequencer:
        """Start the sequencer, and the witnesses if they do not run."""
        if not self.witnesses:
            self.start_witnesses()
        links = [
            WitnessLink(witness.key, line) for witness, line in zip(self.witnesses, self.lines, strict=True)
        ]
        settings: dict[str, object] = {
            "key": self.key,
            "witnesses": links,
            "quorum": self.quorum,
            "clock": self.clock,
            "start_seconds": 2.0,
            "check_leaf": bytes,  # most tests of the log care for its tree, not for what leaves mean
        }
        return Sequencer(self.path, **(settings | changes))  # type: ignore[arg-type]

    def stop(self) -> None:
        """Close the witnesses."""
        for witness in self.witnesses:
            witness.close()
        self.witnesses, self.lines = [], []


def fill(sequencer: Sequencer, leaves: Sequence[bytes]) -> None:
    """Append many leaves in big batches, through the normal door."""
    for start in range(0, len(leaves), 8_000):
        futures = [
            sequencer.submit(RawDraft(leaf), durable_only=True) for leaf in leaves[start : start + 8_000]
        ]
        wait(futures)
        for future in futures:
            future.result()


def numbered_leaves(count: int) -> list[bytes]:
    """Return ``count`` different small leaves."""
    return [b"leaf %d" % number for number in range(count)]
