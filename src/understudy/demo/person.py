"""A synthetic person: does planned episodes in a real browser, on one desktop, by real input.

Rules

* A person is a process of its own, so that no other Python thread disturbs its timing:
  ``python -m understudy.demo.person JOB.json``.
* Each episode is told to the recorder before its first act and after its last, by the same control that a
  person would use. Nothing else passes between them.
* A person acts on what they have seen: when the page changed, they look at it for a moment, and again if it
  changed meanwhile.
* An episode that the page judges failed is kept and called failed; the task is then done again, with another
  seed, as a new episode, at most ``MAX_TRIES`` times in all.
* Every episode is bounded in time, and so are all of them together.
* Results are one JSON object a line; the truth log has everything else.

Example::

    with Desktop(folder) as desktop:
        job = Job(display=desktop.display, environment=desktop.environment, episodes=..., ...)
        results = run_job(job)
"""

import os
import random
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import Value
from understudy.demo.acting import Actor
from understudy.demo.display import Display
from understudy.demo.episodes import PlannedEpisode
from understudy.demo.errors import OracleError, PersonError
from understudy.demo.hands import Hands
from understudy.demo.keys import Keys
from understudy.demo.oracles import ORACLES
from understudy.demo.oracles.look import Look, look_at
from understudy.demo.oracles.record import enter_record
from understudy.demo.oracles.steps import Step
from understudy.demo.pages import FOLDER, NAME
from understudy.demo.placement import measure
from understudy.demo.truth import EpisodeBegan, EpisodeEnded, TruthLog
from understudy.formats.elements import Box
from understudy.formats.recording.manifest import Outcome
from understudy.formats.screen import Screen
from understudy.learning.browser import Chromium, Page
from understudy.learning.miniwob import Episode, PageServer
from understudy.learning.miniwob.seeds import RANGES, SEEDS_EACH, Use
from understudy.recorder.capture.observed import server_ms
from understudy.recorder.control import ControlClient

EPISODE_SECONDS: Final = 180.0
PATIENCE_SECONDS: Final = 4.0
"""How long a page may be busy before the person gives up."""
MAX_STEPS: Final = 80
_LOOK_MS: Final = (250.0, 450.0)
"""How long a person looks at a changed page: nobody is faster (simple reactions to a sight take 200 ms)."""
_MAX_LOOKS: Final = 5
MAX_TRIES: Final = 3
DEFAULT_WINDOW: Final = Box(0, 40, 1000, 740)
_RETRY_STEP: Final = SEEDS_EACH // 2
"""Seeds of repeated episodes lie half the range away from those of planned ones."""
_RECORD_SCRIPT: Final = "window.understudyRecord = %s;"
_MAX_STDERR: Final = 500


class Job(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one person does.

    ``device`` is the home of the device whose recorder is told; None for a person whom nobody records.
    ``environment`` is the desktop's. ``speed`` above 1 is for tests.
    """

    environment: dict[str, str]
    display: str
    truth: str
    results: str
    seed: int
    episodes: tuple[PlannedEpisode, ...]
    device: str | None = None
    screen: Screen = Screen(width=1280, height=800)
    window: Box = DEFAULT_WINDOW
    speed: float = 1.0
    seconds: float = 3_600.0


class EpisodeResult(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one episode went. ``error`` says why the person gave up, if so; no text of a page stands in it."""

    task: str
    seed: int
    outcome: Outcome
    reward: float
    seconds: float
    steps: int
    planned: int
    recording: str | None = None
    error: str = ""


class Control(Protocol):
    """How the recorder is told, if there is one."""

    def begin(self, episode: PlannedEpisode, instruction: str) -> str | None:
        """Say what is about to be done, and return the name of the recording."""
        ...

    def end(self, outcome: Outcome) -> None:
        """Say that it is over."""
        ...


class RecorderControl:
    """Tells the recorder that runs on a device."""

    def __init__(self, device: Path) -> None:
        self._client = ControlClient(device)

    def begin(self, episode: PlannedEpisode, instruction: str) -> str | None:
        """Begin a recording."""
        return self._client.begin(title=episode.title, task=episode.task, instruction=instruction).recording

    def end(self, outcome: Outcome) -> None:
        """End it."""
        self._client.end(outcome)


class Person:
    """Does episodes in one browser window. Use ``run_job``, which starts everything it needs.

    Args:
        page: the window's page.
        server: has the pages.
        actor: acts on the page.
        hands: the same hands, for pauses.
        rest: where the pointer waits before an episode.
        truth: where episodes are marked.
        control: the recorder, if one runs.
    """

    def __init__(
        self,
        *,
        page: Page,
        server: PageServer,
        actor: Actor,
        hands: Hands,
        rest: Box,
        truth: TruthLog,
        control: Control | None,
    ) -> None:
        self._page = page
        self._server = server
        self._actor = actor
        self._hands = hands
        self._rest = rest
        self._truth = truth
        self._control = control

    def do(self, planned: PlannedEpisode, number: int) -> EpisodeResult:
        """Do one episode, whatever comes of it.

        Raises:
            UnderstudyError: the display or the browser died, and the episode was ended as failed; or the
                recorder took neither beginning nor end.
        """
        # What is under the pointer when a page appears was never pointed at: the pointer waits aside.
        self._hands.move(self._rest)
        episode = self._start(planned)
        recording = None if self._control is None else self._control.begin(planned, episode.instruction)
        began = time.monotonic()
        self._truth.write(
            EpisodeBegan(
                at=server_ms(),
                task=planned.task,
                seed=planned.seed,
                instruction=episode.instruction,
                recording=recording,
            )
        )
        error, steps = "", 0
        outcome, reward = Outcome.FAILED, 0.0
        try:
            try:
                steps = self._act(planned, episode)
            except (OracleError, PersonError) as given_up:
                error = str(given_up)
            self._hands.pause(300, 600)
            state = episode.outcome()
            outcome, reward = Outcome.SUCCEEDED if state.is_success else Outcome.FAILED, state.reward
        finally:
            # Also when the browser died: what was begun is ended, and called what it is.
            self._actor.finish()
            self._truth.write(EpisodeEnded(at=server_ms(), outcome=outcome, reward=reward))
            if self._control is not None:
                self._control.end(outcome)
        return EpisodeResult(
            task=planned.task,
            seed=planned.seed,
            outcome=outcome,
            reward=reward,
            seconds=round(time.monotonic() - began, 2),
            steps=steps,
            planned=number,
            recording=recording,
            error=error,
        )

    def _start(self, planned: PlannedEpisode) -> Episode:
        """Load the page with what it needs to know."""
        address = self._server.address(planned.page)
        if planned.record is None:
            return Episode.start(self._page, address, seed=planned.seed)
        known = msgspec.to_builtins(planned.record) | {"instruction": planned.record.instruction}
        source = _RECORD_SCRIPT % msgspec.json.encode(known).decode()
        added = self._page.call("Page.addScriptToEvaluateOnNewDocument", source=source)
        try:
            return Episode.start(self._page, address, seed=planned.seed)
        finally:
            self._page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])

    def _act(self, planned: PlannedEpisode, episode: Episode) -> int:
        """Do step after step until the page is done, and return how many they were."""
        until = time.monotonic() + EPISODE_SECONDS
        self._hands.pause(700, 1_500)  # the person reads the instruction
        steps = 0
        seen: Look | None = None
        waiting_since: float | None = None
        while not episode.outcome().is_done:
            now = time.monotonic()
            if now > until or steps >= MAX_STEPS:
                raise PersonError("the task was not done in time")
            look = seen = take_in(self._page, self._hands, seen)
            if episode.outcome().is_done:
                break
            step = _next_step(planned, look)
            if step is None:
                waiting_since = waiting_since or now
                if now - waiting_since > PATIENCE_SECONDS:
                    raise PersonError("the page stayed busy")
                time.sleep(0.05)
                continue
            waiting_since = None
            self._actor.do(step, look)
            steps += 1
            self._hands.pause(100, 280)
        return steps


def take_in(page: Page, hands: Hands, before: Look | None) -> Look:
    """Return what a page shows, having looked at it for a moment if it changed.

    Args:
        page: what is looked at.
        hands: they rest meanwhile.
        before: what it showed when it was last looked at; None if it never was.
    """
    look = look_at(page)
    for _ in range(_MAX_LOOKS):
        if before is None or look == before:
            break
        before = look
        hands.pause(*_LOOK_MS)
        look = look_at(page)
    return look


def run_job(job: Job) -> tuple[EpisodeResult, ...]:
    """Start a browser on the job's desktop, do all episodes, and return the results.

    Raises:
        UnderstudyError: the display, the browser or the recorder failed; what was done is in the files.
    """
    results: list[EpisodeResult] = []
    text = f"person {job.seed}"
    with (
        Display(job.display) as display,
        TruthLog(Path(job.truth)) as truth,
        PageServer({NAME: FOLDER}) as server,
    ):
        keys = Keys(display)
        keys.prepare(typed_characters(job.episodes))
        hands = Hands(display, keys, screen=job.screen, rng=random.Random(text), speed=job.speed)  # noqa: S311
        with Chromium(address=server.address(), environment=job.environment, window=job.window) as browser:
            browser.page.navigate(server.address())
            placement = measure(browser.page, display, job.window)
            actor = Actor(
                page=browser.page,
                placement=placement,
                hands=hands,
                display=display,
                truth=truth,
                rng=random.Random(f"{text} decides"),  # noqa: S311
            )
            person = Person(
                page=browser.page,
                server=server,
                actor=actor,
                hands=hands,
                rest=_resting_place(job.window),
                truth=truth,
                control=None if job.device is None else RecorderControl(Path(job.device)),
            )
            _do_all(person, job, results)
    return tuple(results)


def typed_characters(episodes: Iterable[PlannedEpisode]) -> str:
    """Return every character that the planned forms type, once, sorted."""
    typed: set[str] = set()
    for episode in episodes:
        if episode.record is not None:
            typed.update(episode.record.instruction, episode.record.password)
    return "".join(sorted(typed))


def read_results(path: Path) -> tuple[EpisodeResult, ...]:
    """Return the results that a person has written so far."""
    if not path.exists():
        return ()
    return tuple(msgspec.json.decode(line, type=EpisodeResult) for line in path.read_bytes().splitlines())


def _do_all(person: Person, job: Job, results: list[EpisodeResult]) -> None:
    until = time.monotonic() + job.seconds
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    with os.fdopen(os.open(job.results, flags, 0o600), "ab", buffering=0) as file:
        for number, planned in enumerate(job.episodes):
            for turn in range(MAX_TRIES):
                if time.monotonic() > until:
                    raise PersonError("the time for all episodes is over")
                result = person.do(_again(planned, turn), number)
                results.append(result)
                file.write(msgspec.json.encode(result) + b"\n")
                if result.outcome is Outcome.SUCCEEDED:
                    break


def _again(planned: PlannedEpisode, turn: int) -> PlannedEpisode:
    """Return the episode for another try: the same, with a seed that no planned episode has."""
    if turn == 0:
        return planned
    numbers = RANGES[Use.DEMONSTRATION]
    place = (planned.seed - numbers.start + turn * _RETRY_STEP // MAX_TRIES) % len(numbers)
    return replace(planned, seed=numbers[place])


def _next_step(planned: PlannedEpisode, look: Look) -> Step | None:
    if planned.record is not None:
        return enter_record(look, planned.record)
    oracle = ORACLES.get(planned.task)
    if oracle is None:
        raise OracleError("no oracle knows this task")
    return oracle(look)


def _resting_place(window: Box) -> Box:
    """Return the lower right corner of a window, where no page of the demonstration has anything."""
    return Box(window.x + window.width - 70, window.y + window.height - 60, 50, 40)


def main(arguments: list[str]) -> int:
    """Do the job of a file; errors go to stderr as a command's do."""
    if len(arguments) != 1:
        sys.stderr.write("understudy: error: one argument: the job file\n")
        return 2
    # A person who is told to stop lets go of keys and browser first.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        job = msgspec.json.decode(Path(arguments[0]).read_bytes(), type=Job)
        run_job(job)
    except UnderstudyError as error:
        sys.stderr.write(f"understudy: error: {error}\n"[:_MAX_STDERR])
        if error.hint:
            sys.stderr.write(f"understudy: hint: {error.hint}\n"[:_MAX_STDERR])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
