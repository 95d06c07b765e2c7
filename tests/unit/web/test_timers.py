"""Background work goes on after failures, at once when woken, and ends when told."""

import threading

import structlog
from structlog.testing import CapturingLogger

from understudy.consent.errors import UnavailableError
from understudy.web.journal import scrub
from understudy.web.timers import Timers


class Job:
    """Counts its turns; fails in those listed."""

    def __init__(self, *failing: int) -> None:
        self.turns = 0
        self._failing = failing
        self._turned = threading.Condition()

    def __call__(self) -> None:
        with self._turned:
            self.turns += 1
            self._turned.notify_all()
        if self.turns in self._failing:
            raise UnavailableError("the log does not answer")

    def wait_for(self, turns: int) -> bool:
        with self._turned:
            return self._turned.wait_for(lambda: self.turns >= turns, timeout=5)


def timers() -> tuple[Timers, CapturingLogger]:
    log = CapturingLogger()
    return Timers(structlog.wrap_logger(log, processors=[scrub])), log


def test_the_first_turn_comes_at_once_and_the_next_when_woken() -> None:
    made, _ = timers()
    job = Job()
    timer = made.every("job", 3_600, job)
    made.start()
    assert job.wait_for(1)
    timer.wake()
    assert job.wait_for(2)
    made.stop()


def test_a_failure_is_one_line_however_often_it_comes_and_recovery_is_another() -> None:
    made, log = timers()
    job = Job(1, 2, 3)
    timer = made.every("job", 3_600, job)
    made.start()
    for turns in range(1, 5):
        assert job.wait_for(turns)
        timer.wake()
    assert job.wait_for(5)
    made.stop()
    assert [call.method_name for call in log.calls] == ["warning", "info"]


def test_a_stopped_job_has_no_further_turn() -> None:
    made, _ = timers()
    job = Job()
    timer = made.every("job", 0.01, job)
    made.start()
    assert job.wait_for(2)
    made.stop()
    turns = job.turns
    timer.wake()
    assert job.turns == turns


def test_stopping_what_never_started_is_harmless() -> None:
    made, _ = timers()
    made.every("job", 1, Job())
    made.stop()
