"""One episode of a task: started with a seed, watched until its end.

Rules

* The page is loaded anew, seeded, and started at once: the same page and seed give the same task.
* The time limit is set high (an hour): speed is not what is learned, and a person is not hurried.
* The instruction is what the page tells a person, spaces made one.
* The reward is the raw one, without the page's discount for time: 1 is full success, -1 failure, and tasks
  with several parts give what lies between.
* Only globals of the page are touched; nothing is clicked or typed here.

**What a page must define**, MiniWoB++'s or one's own. MiniWoB++'s ``core.js`` defines all but the first
two, so the easy way is to include it (``<script src="../core/core.js">``), to begin with
``window.onload = () => core.startEpisode()``, which raises the cover that the server's style hides, and to
end with ``core.endEpisode(reward)``:

==================================  ========================================================================
``genProblem()``                    make the task's content, with ``Math.random`` as the only source of chance
an element with id ``query``        holds the instruction once ``genProblem`` has run
``Math.seedrandom(text)``           seeds ``Math.random``
``core.EPISODE_MAX_TIME``           milliseconds, read when the episode starts
``core.startEpisodeReal()``         runs ``genProblem`` and resets the globals below
``core.getUtterance()``             returns the instruction
``WOB_DONE_GLOBAL``                 true after the end; declared with ``var`` in a script of the page
``WOB_RAW_REWARD_GLOBAL``           the raw reward
``WOB_REWARD_REASON``               why, or null; may be missing
``WOB_TASK_READY``                  false while the page still loads; may be missing
==================================  ========================================================================
"""

import time
from typing import Final, Self

import msgspec

from understudy.learning.browser.errors import ScriptError
from understudy.learning.browser.page import Page
from understudy.learning.miniwob.errors import EpisodeOverError, NotATaskError

LIMIT_SECONDS: Final = 3_600
READY_SECONDS: Final = 20.0
FULL_REWARD: Final = 0.99
"""Above this an episode has succeeded: rewards are sums of floats."""
_POLL_SECONDS: Final = 0.05

_IS_TASK: Final = (
    "typeof core === 'object' && typeof core.startEpisodeReal === 'function'"
    " && typeof core.getUtterance === 'function' && typeof Math.seedrandom === 'function'"
    " && typeof genProblem === 'function' && typeof WOB_DONE_GLOBAL !== 'undefined'"
    " && document.getElementById('query') !== null"
)
_IS_READY: Final = "typeof WOB_TASK_READY === 'undefined' || WOB_TASK_READY === true"
_START: Final = """(() => {
  Math.seedrandom(%(seed)s);
  core.EPISODE_MAX_TIME = %(limit)d;
  core.startEpisodeReal();
  window.understudyEpisode = %(mark)s;
  return core.getUtterance();
})()"""
_OUTCOME: Final = """window.understudyEpisode !== %(mark)s ? null : {
  is_done: WOB_DONE_GLOBAL === true,
  reward: Number(WOB_RAW_REWARD_GLOBAL) || 0,
  reason: typeof WOB_REWARD_REASON === 'string' ? WOB_REWARD_REASON : '',
}"""


class Outcome(msgspec.Struct, frozen=True):
    """How an episode stands. ``reward`` is 0 until it is done."""

    is_done: bool
    reward: float
    reason: str = ""

    @property
    def is_success(self) -> bool:
        """Whether it ended with the full reward."""
        return self.is_done and self.reward > FULL_REWARD


class Episode:
    """A running episode; made by ``start``."""

    def __init__(self, page: Page, *, address: str, seed: int, instruction: str) -> None:
        self._page = page
        self._mark = _mark(seed)
        self.address = address
        self.seed = seed
        self.instruction = instruction

    @classmethod
    def start(cls, page: Page, address: str, *, seed: int, limit_seconds: int = LIMIT_SECONDS) -> Self:
        """Load the page at ``address`` and start its task.

        Raises:
            NotATaskError: the page lacks what an episode needs, is not ready in time, or cannot make its
            task. BrowserError: the browser failed.
        """
        page.navigate(address)
        if page.evaluate(_IS_TASK) is not True:
            raise NotATaskError("the page cannot run an episode")
        deadline = time.monotonic() + READY_SECONDS
        while page.evaluate(_IS_READY) is not True:
            if time.monotonic() > deadline:
                raise NotATaskError("the page did not become ready for its task")
            time.sleep(_POLL_SECONDS)
        script = _START % {
            "seed": _literal(str(seed)),
            "limit": limit_seconds * 1_000,
            "mark": _literal(_mark(seed)),
        }
        try:
            instruction = page.evaluate(script)
        except ScriptError as error:
            raise NotATaskError(f"the page could not make its task ({error.kind})") from error
        return cls(page, address=address, seed=seed, instruction=str(instruction))

    def outcome(self) -> Outcome:
        """Return how the episode stands.

        Raises:
            EpisodeOverError: the page was left or loaded again.
        """
        answer = self._page.evaluate(_OUTCOME % {"mark": _literal(self._mark)})
        if answer is None:
            raise EpisodeOverError("the page no longer runs this episode")
        return msgspec.convert(answer, Outcome, strict=False)

    def wait(self, seconds: float) -> Outcome:
        """Return the outcome as soon as the episode is done, or as it stands after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not (outcome := self.outcome()).is_done and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return outcome


def _mark(seed: int) -> str:
    return f"seed {seed}"


def _literal(text: str) -> str:
    """Return ``text`` as JavaScript."""
    return msgspec.json.encode(text).decode()
