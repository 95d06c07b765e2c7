"""Episodes on the real pages: begun by seed, ended by what is done, scored by the page."""

from pathlib import Path

import pytest

from tests.unit.learning.miniwob.solutions import PRELUDE, SOLUTIONS
from understudy.learning.browser import Chromium
from understudy.learning.miniwob import TASKS, Episode, PageServer, Task
from understudy.learning.miniwob.errors import EpisodeOverError, NotATaskError, UnknownTaskError
from understudy.learning.miniwob.pages import SURROUNDINGS
from understudy.learning.miniwob.seeds import Use, seeds
from understudy.learning.miniwob.tasks import Kind, task

OWN_PAGE = """<!DOCTYPE html><html><head><title>Own</title><script src="../core/core.js"></script><script>
const genProblem = () => { document.getElementById("query").textContent = "Pick " + core.randi(0, 1e9); };
window.onload = () => core.startEpisode();
%s
</script></head><body><div id="query"></div>
<button onclick="core.endEpisode(0.5, true, 'half')">Go</button></body></html>
"""

everywhere = pytest.mark.parametrize("one", TASKS, ids=lambda one: one.name)


def solve(browser: Chromium, one: Task) -> None:
    browser.page.evaluate(f"(() => {{ {PRELUDE} {SOLUTIONS[one.name]} }})()")


@everywhere
def test_a_task_begins_undone_and_the_right_acts_end_it_with_full_reward(
    browser: Chromium, server: PageServer, one: Task
) -> None:
    for seed in seeds(Use.TUNING, start=3, count=2):
        episode = Episode.start(browser.page, server.address(one.page), seed=seed)
        begun = episode.outcome()
        assert (begun.is_done, begun.reward, begun.is_success) == (False, 0, False)
        assert episode.instruction
        assert episode.instruction == " ".join(episode.instruction.split())
        solve(browser, one)
        ended = episode.wait(5)
        assert ended.is_success, (seed, ended)


@everywhere
def test_an_ended_task_can_no_longer_be_won(browser: Chromium, server: PageServer, one: Task) -> None:
    episode = Episode.start(browser.page, server.address(one.page), seed=1_000_000)
    browser.page.evaluate("core.endEpisode(-1, false, 'wrong')")
    solve(browser, one)
    ended = episode.outcome()
    assert (ended.is_done, ended.reward, ended.reason, ended.is_success) == (True, -1, "wrong", False)


@everywhere
def test_one_seed_gives_one_task_and_another_gives_another(
    browser: Chromium, server: PageServer, one: Task
) -> None:
    def made(seed: int) -> tuple[str, str]:
        episode = Episode.start(browser.page, server.address(one.page), seed=seed)
        return episode.instruction, browser.page.evaluate("document.body.outerHTML")

    first = made(5)
    assert made(5) == first
    assert any(made(seed) != first for seed in range(6, 10))


def test_a_task_that_did_nothing_is_not_scored(browser: Chromium, server: PageServer) -> None:
    episode = Episode.start(browser.page, server.address(task("enter-text").page), seed=1, limit_seconds=1)
    ended = episode.wait(10)
    assert (ended.is_done, ended.reward, ended.reason) == (True, -1, "timed out")


def test_the_usual_limit_is_long(browser: Chromium, server: PageServer) -> None:
    Episode.start(browser.page, server.address(task("enter-text").page), seed=1)
    assert browser.page.evaluate("core.EPISODE_MAX_TIME") == 3_600_000


def test_what_surrounds_a_task_is_never_shown(browser: Chromium, server: PageServer) -> None:
    selector = ", ".join(SURROUNDINGS)
    count = f"[...document.querySelectorAll('{selector}')].map(one => one.checkVisibility())"
    browser.page.navigate(server.address(task("click-button").page))
    assert browser.page.evaluate(count) == [False, False, False]
    Episode.start(browser.page, server.address(task("click-button").page), seed=1)
    assert browser.page.evaluate(count) == [False, False, False]
    browser.page.evaluate("document.querySelector('button').click()")
    assert browser.page.evaluate("WOB_DONE_GLOBAL") is True
    assert browser.page.evaluate(count) == [False, False, False]


def test_a_page_that_was_left_has_no_outcome(browser: Chromium, server: PageServer) -> None:
    address = server.address(task("click-button").page)
    for leave in (server.address(), address):
        episode = Episode.start(browser.page, address, seed=1)
        browser.page.navigate(leave)
        with pytest.raises(EpisodeOverError):
            episode.outcome()


def test_a_page_that_is_no_task_is_told_so(browser: Chromium, server: PageServer) -> None:
    with pytest.raises(NotATaskError):
        Episode.start(browser.page, server.address(), seed=1)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path


def test_an_own_page_that_keeps_the_contract_is_a_task(own: Path) -> None:
    (own / "pick.html").write_text(OWN_PAGE % "")
    with PageServer({"own": own}) as server, Chromium(address=server.address(), headless=True) as browser:
        episode = Episode.start(browser.page, server.address("own/pick.html"), seed=1)
        again = Episode.start(browser.page, server.address("own/pick.html"), seed=1)
        assert episode.instruction.startswith("Pick ")
        assert episode.instruction == again.instruction
        browser.page.evaluate("document.querySelector('button').click()")
        ended = again.outcome()
        assert (ended.is_done, ended.reward, ended.reason, ended.is_success) == (True, 0.5, "half", False)


@pytest.mark.parametrize("fault", ["var WOB_TASK_READY = false", "core.startEpisodeReal = () => nothing()"])
def test_an_own_page_that_breaks_it_is_told_so(
    own: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.learning.miniwob.episode.READY_SECONDS", 0.2)
    (own / "pick.html").write_text(OWN_PAGE % fault)
    with (
        PageServer({"own": own}) as server,
        Chromium(address=server.address(), headless=True) as browser,
        pytest.raises(NotATaskError),
    ):
        Episode.start(browser.page, server.address("own/pick.html"), seed=1)


def test_the_table_names_each_task_once_and_covers_every_kind() -> None:
    assert len({one.name for one in TASKS}) == len(TASKS) >= 14
    assert {one.kind for one in TASKS} == set(Kind)
    assert all(task(one.name) is one for one in TASKS)
    assert set(SOLUTIONS) == {one.name for one in TASKS}


def test_an_unknown_task_is_told_so_with_what_there_is() -> None:
    with pytest.raises(UnknownTaskError) as caught:
        task("guess-number")
    assert "click-button" in caught.value.hint
