"""One synthetic participant of the demonstration: a desktop, a recorder on it, and hands that work there.

Rules

* The person and the recorder are processes of their own and share the desktop and nothing else. The person
  says when a task begins and ends, by the recorder's own control.
* The recorder comes first: a browser that was started before it would show it nothing.
* Everything ends with this process, in order: hands, browser, recorder, desktop.

Example::

    with Participant(1, folder, server=url) as ana:
        ana.start(episodes, seed=7)
        while not ana.is_done(): ...
        figures = ana.stop()
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from understudy.demo.children import Child
from understudy.demo.commands import StageError
from understudy.demo.desktop import Desktop
from understudy.demo.episodes import PlannedEpisode
from understudy.demo.person import EpisodeResult, Job, read_results
from understudy.demo.truth import TruthEpisode, read_truth
from understudy.recorder.control import ControlClient
from understudy.sealing.durable import private_folder

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0


class Participant:
    """A synthetic participant.

    Args:
        number: from 1.
        folder: of the whole demonstration.
        server: address of the server.

    Attributes:
        device: home of the participant's device.
        kept: where the control's raw material goes.
        planned: how many episodes there are to do.
    """

    def __init__(self, number: int, folder: Path, *, server: str) -> None:
        self.number: Final = number
        self.server: Final = server
        self.device: Final = folder / f"device-{number}"
        self.work: Final = folder / f"person-{number}"
        self.kept: Final = self.work / "control"
        self.planned = 0
        self._stack: Final = ExitStack()
        self._recorder: Child | None = None
        self._person: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def place(self) -> tuple[str, ...]:
        """Where this person's own commands find device and server."""
        return ("--device", str(self.device), "--server", self.server)

    @property
    def results(self) -> tuple[EpisodeResult, ...]:
        """How the episodes went that are done."""
        return read_results(self.work / "results.jsonl")

    @property
    def truth(self) -> tuple[TruthEpisode, ...]:
        """What was really done, as the hands wrote it down."""
        return read_truth(self.work / "truth.jsonl")

    @property
    def is_done(self) -> bool:
        """Whether the hands have stopped.

        Raises:
            StageError: the recorder has stopped before them.
        """
        if self._recorder is not None and not self._recorder.is_alive:
            raise StageError(f"recorder {self.number} stopped: {_last_line(self._recorder)}")
        return self._person is None or not self._person.is_alive

    def start(self, episodes: Sequence[PlannedEpisode], *, seed: int, speed: float = 1.0) -> None:
        """Start desktop, recorder and hands; ``speed`` above 1 is for tests.

        Raises:
            StageError: the recorder does not become ready.
            DesktopError, MissingProgramError: there is no desktop to be had.
        """
        private_folder(self.work)
        desktop = self._stack.enter_context(Desktop(self.work / "desktop"))
        module = ("-m", "understudy.demo.recorded", str(self.device), self.server, str(self.kept))
        self._recorder = desktop.start(sys.executable, *module)
        self._wait_until_ready(self._recorder)
        job = Job(
            environment=desktop.environment,
            display=desktop.display,
            truth=str(self.work / "truth.jsonl"),
            results=str(self.work / "results.jsonl"),
            seed=seed,
            episodes=tuple(episodes),
            device=str(self.device),
            speed=speed,
        )
        path = self.work / "job.json"
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.encode(job))
        self.planned = len(job.episodes)
        self._person = desktop.start(sys.executable, "-m", "understudy.demo.person", str(path))

    def stop(self) -> dict[str, Any]:
        """Stop the recorder as its button would, and return its figures.

        Raises:
            StageError: the hands gave up, or the recorder did not end in order.
        """
        if self._person is None or self._recorder is None:
            raise StageError("nothing was started")
        if self._person.exit_code != 0:
            raise StageError(f"person {self.number} gave up: {_last_line(self._person)}")
        ControlClient(self.device).stop()
        until = time.monotonic() + STOP_SECONDS
        while self._recorder.is_alive and time.monotonic() < until:
            time.sleep(0.05)
        said = _last_line(self._recorder)
        if self._recorder.exit_code != 0:
            raise StageError(f"recorder {self.number} did not end in order: {said}")
        self._stack.close()
        figures: dict[str, Any] = json.loads(said)
        return figures

    def _wait_until_ready(self, recorder: Child) -> None:
        until = time.monotonic() + READY_SECONDS
        while '"ready"' not in recorder.log.read_text():
            if not recorder.is_alive or time.monotonic() > until:
                raise StageError(f"recorder {self.number} does not become ready: {_last_line(recorder)}")
            time.sleep(0.05)


def _last_line(child: Child) -> str:
    lines = child.log.read_text().splitlines()
    return lines[-1] if lines else "it said nothing"
