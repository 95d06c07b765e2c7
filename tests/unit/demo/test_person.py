"""A synthetic person solves its tasks by real input, and says what it did."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.unit.demo.conftest import SPEED, Stage
from understudy.demo.desktop import Desktop
from understudy.demo.episodes import PlannedEpisode, plan
from understudy.demo.oracles import ORACLES
from understudy.demo.pages import CUSTOMER_RECORD
from understudy.demo.person import MAX_TRIES, Job, read_results, run_job, take_in, typed_characters
from understudy.demo.truth import read_truth
from understudy.formats.elements import Box
from understudy.formats.recording.manifest import Outcome
from understudy.learning.miniwob.seeds import Use, use_of
from understudy.learning.miniwob.tasks import task

SEEDS = 5
NAMES = sorted(ORACLES)
GROUPS = [NAMES[number::4] for number in range(4)]


def job(desktop: Desktop, folder: Path, *episodes: PlannedEpisode, seed: int = 1) -> Job:
    return Job(
        environment=desktop.environment,
        display=desktop.display,
        truth=str(folder / "truth.jsonl"),
        results=str(folder / "results.jsonl"),
        seed=seed,
        episodes=episodes,
        window=Box(0, 0, 1000, 740),
        speed=SPEED,
        seconds=100,
    )


def episode(name: str, seed: int, *, page: str = "") -> PlannedEpisode:
    return PlannedEpisode(task=name, seed=seed, page=page or task(name).page, title=name)


@pytest.mark.timeout(300)  # real hands, in real time
@pytest.mark.parametrize("names", GROUPS, ids=lambda names: f"{names[0]}-and-{len(names) - 1}-more")
def test_every_task_is_solved_on_every_seed(desktop: Desktop, tmp_path: Path, names: list[str]) -> None:
    asked = [episode(name, seed) for name in names for seed in range(SEEDS)]
    results = run_job(job(desktop, tmp_path, *asked))
    failed = [(one.task, one.seed, one.error) for one in results if one.outcome is not Outcome.SUCCEEDED]
    assert failed == []
    assert len(results) == len(asked)
    told = read_truth(tmp_path / "truth.jsonl")
    assert [one.began.task for one in told] == [one.task for one in asked]
    assert all(one.actions and one.outcome is Outcome.SUCCEEDED for one in told)


def test_the_form_is_entered_and_the_truth_tells_all_of_it(desktop: Desktop, tmp_path: Path) -> None:
    planned = plan(["zq-жщъ-ΩψΞ-7w9m", "kx_second_string"], seed=4, tasks=(), participants=1)[0][0]
    assert planned.record is not None
    (result,) = run_job(job(desktop, tmp_path, planned))
    assert (result.outcome, result.error) == (Outcome.SUCCEEDED, "")
    (told,) = read_truth(tmp_path / "truth.jsonl")
    assert told.began.task == CUSTOMER_RECORD
    assert told.began.instruction == " ".join(planned.record.instruction.split())
    typed = "\n".join(action.text or "" for action in told.actions if action.act == "type")
    assert all(string in typed for string in planned.record.planted)
    secrets = [action for action in told.actions if action.act == "fill_secret"]
    assert [action.text for action in secrets] == [planned.record.password] * 2
    assert all(action.secure and not action.shown for action in secrets)
    assert [(span.began, span.ended) for span in told.secure] == [(one.began, one.ended) for one in secrets]
    assert [action.option for action in told.actions if action.act == "select"] == [planned.record.account]
    assert planned.record.password not in typed
    assert all(left.began <= right.began for left, right in zip(told.actions, told.actions[1:], strict=False))
    assert (tmp_path / "truth.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_person_decides_on_a_page_that_has_come_to_rest(stage: Stage) -> None:
    stage.page.navigate(stage.server.address())
    stage.page.evaluate("(document.body.innerHTML = '<p id=said>1</p>', true)")
    first = take_in(stage.page, stage.hands, None)
    assert take_in(stage.page, stage.hands, first) == first
    stage.page.evaluate(
        """(() => {
          let left = 3;
          const find = document.getElementById;
          document.getElementById = id => {  // every look calls it: the page changes from look to look
            if (left) said.innerText = --left;
            return find.call(document, id);
          };
          return true;
        })()"""
    )
    assert take_in(stage.page, stage.hands, first).first("p").text == "0"


def test_a_failed_episode_is_kept_and_done_again_with_another_seed(desktop: Desktop, tmp_path: Path) -> None:
    # The page of another task: whatever this person does there, the page does not call it done.
    results = run_job(job(desktop, tmp_path, episode("enter-text", 0, page=task("click-button").page)))
    assert [one.outcome for one in results] == [Outcome.FAILED] * MAX_TRIES
    assert len({one.seed for one in results}) == MAX_TRIES
    assert {use_of(one.seed) for one in results} == {Use.DEMONSTRATION}
    assert all(one.error for one in results)
    assert [one.outcome for one in read_truth(tmp_path / "truth.jsonl")] == [Outcome.FAILED] * MAX_TRIES
    assert read_results(tmp_path / "results.jsonl") == results


def test_two_people_work_at_once_each_in_a_process(
    desktop: Desktop, private_desktop: Desktop, tmp_path: Path
) -> None:
    people = []
    for number, place in enumerate((desktop, private_desktop)):
        folder = tmp_path / str(number)
        folder.mkdir()
        names = ("click-link", "enter-text", "choose-list")
        asked = job(place, folder, *(episode(name, number) for name in names), seed=number)
        (folder / "job.json").write_bytes(msgspec.json.encode(asked))
        command = [sys.executable, "-m", "understudy.demo.person", str(folder / "job.json")]
        people.append((folder, subprocess.Popen(command, stderr=subprocess.PIPE, text=True)))
    for folder, process in people:
        _, said = process.communicate(timeout=90)
        assert process.returncode == 0, said
        assert [one.outcome for one in read_results(folder / "results.jsonl")] == [Outcome.SUCCEEDED] * 3


def test_a_job_that_cannot_be_done_is_a_typed_error(tmp_path: Path) -> None:
    asked = Job(
        environment={},
        display=":987654",
        truth=str(tmp_path / "truth.jsonl"),
        results=str(tmp_path / "results.jsonl"),
        seed=1,
        episodes=(),
    )
    (tmp_path / "job.json").write_bytes(msgspec.json.encode(asked))
    command = [sys.executable, "-m", "understudy.demo.person", str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("understudy: error: the display :987654")


def test_every_character_of_the_forms_is_known_beforehand() -> None:
    plans = plan(["zq-жщъ-ΩψΞ-7w9m"], seed=4, tasks=(), participants=2)
    known = typed_characters([one for each in plans for one in each])
    for one in (one for each in plans for one in each):
        assert one.record is not None
        assert set(one.record.password) | set(one.record.comment) <= set(known)
