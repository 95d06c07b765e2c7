"""The truth log: what was really done, written by who did it. The recorder never sees it.

Rules

* One JSON object a line, appended as it happens, readable by its owner only: it holds what synthetic people
  type, secrets too.
* Times are the display server's milliseconds, as the recorder's sources have them (modulo 2**32).
* Acts have the names of a recording's actions. What a person means as one is one: opening a list and choosing
  is one ``select``, typing with a slip and its correction is one ``type``.
* ``point`` and boxes are pixels of the screen; a target is described as the page describes it.

Example

>>> target = TruthTarget(tag="button", id="subbtn", label="Submit", box=Box(10, 10, 80, 24))
>>> TruthAction(act="click", target=target, began=1, ended=2).secure
False
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from understudy.consent.primitives import Value
from understudy.demo.errors import DemoError
from understudy.formats.elements import Box
from understudy.formats.recording.manifest import Outcome

__all__ = ["Box", "Outcome", "TruthAction", "TruthEpisode", "TruthLog", "TruthTarget", "read_truth"]


class TruthError(DemoError):
    """A truth log is not what it should be."""


class TruthTarget(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The element that was acted on, as the page knows it.

    ``kin`` are the tags of elements right above and below that share its middle: the line of a list and the
    link that fills it are one to a person.
    """

    tag: str
    box: Box
    id: str = ""
    label: str = ""
    kin: tuple[str, ...] = ()


class EpisodeBegan(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="episode-began"):
    """A person starts on a task. ``recording`` names the recording, where there is one."""

    at: int
    task: str
    seed: int
    instruction: str
    recording: str | None = None


class TruthAction(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="action"):
    """One act: what, on which element, with which text, from when to when.

    ``text`` is what was typed, also for ``fill_secret``; ``shown`` says that such a secret stands on the page
    in clear, as MiniWoB++'s do. ``key`` is a key's name; ``option`` a chosen option; ``dy`` wheel steps.
    """

    act: str
    target: TruthTarget
    began: int
    ended: int
    point: tuple[int, int] | None = None
    text: str | None = None
    option: str | None = None
    key: str | None = None
    modifiers: tuple[str, ...] = ()
    times: int = 1
    dy: int = 0
    secure: bool = False
    shown: bool = False


class SecureSpan(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="secure"):
    """From the first key of a secret to its last: no key with an identity may be known of in between."""

    began: int
    ended: int


class EpisodeEnded(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="episode-ended"):
    """The page judged the task, or the person gave up."""

    at: int
    outcome: Outcome
    reward: float = 0.0


Line = EpisodeBegan | TruthAction | SecureSpan | EpisodeEnded


class TruthEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """One episode, read back. ``ended`` is None where the log stops within it."""

    began: EpisodeBegan
    ended: EpisodeEnded | None
    actions: tuple[TruthAction, ...]
    secure: tuple[SecureSpan, ...]

    @property
    def outcome(self) -> Outcome:
        """Whether the task was done."""
        return Outcome.UNKNOWN if self.ended is None else self.ended.outcome


class TruthLog:
    """A truth log that is written; made if absent, 0600. Use as a context manager, or ``close`` it."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file: Final = os.fdopen(os.open(path, flags, 0o600), "ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, line: Line) -> None:
        """Append one line. A line is written whole or, where the process dies, not at all."""
        self._file.write(msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_truth(path: Path) -> tuple[TruthEpisode, ...]:
    """Return the episodes of a truth log, in order.

    Raises:
        TruthError: a line is none, or stands outside an episode.
    """
    return tuple(_episodes(_lines(path.read_bytes())))


def _lines(content: bytes) -> Iterator[Line]:
    decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
    for number, line in enumerate(content.splitlines(), 1):
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError:
            raise TruthError(f"line {number} of a truth log is none") from None


def _episodes(lines: Iterator[Line]) -> Iterator[TruthEpisode]:
    began: EpisodeBegan | None = None
    actions: list[TruthAction] = []
    secure: list[SecureSpan] = []
    for line in lines:
        if isinstance(line, EpisodeBegan):
            if began is not None:  # the person was killed within it
                yield TruthEpisode(began=began, ended=None, actions=tuple(actions), secure=tuple(secure))
            began, actions, secure = line, [], []
            continue
        if began is None:
            raise TruthError("a truth log has a line outside an episode")
        match line:
            case TruthAction():
                actions.append(line)
            case SecureSpan():
                secure.append(line)
            case EpisodeEnded():
                yield TruthEpisode(began=began, ended=line, actions=tuple(actions), secure=tuple(secure))
                began = None
    if began is not None:
        yield TruthEpisode(began=began, ended=None, actions=tuple(actions), secure=tuple(secure))
