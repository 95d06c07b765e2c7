"""A plan covers every string, shares the work out, and keeps to the seeds for demonstrations."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.demo.episodes import DEMONSTRATED, PlannedEpisode, plan, planted_in
from understudy.demo.errors import PlanError
from understudy.demo.oracles import ORACLES
from understudy.demo.pages import CUSTOMER_RECORD
from understudy.demo.records import PLANTED_FIELDS
from understudy.learning.miniwob.seeds import Use, use_of
from understudy.learning.miniwob.tasks import TASKS, Kind, task

canaries = st.integers(1, 90).map(lambda count: [f"zq{number:04d}kx7w9mv3" for number in range(count)])
seeds = st.integers(0, 2**32)
people = st.integers(1, 4)


def forms(episodes: tuple[PlannedEpisode, ...]) -> list[PlannedEpisode]:
    return [episode for episode in episodes if episode.record is not None]


@given(canaries, seeds, people)
def test_every_string_is_planted(strings: list[str], seed: int, participants: int) -> None:
    plans = plan(strings, seed=seed, tasks=("click-button",), participants=participants)
    assert frozenset[str]().union(*(planted_in(one) for one in plans)) == set(strings)


@given(canaries, seeds, people)
def test_everyone_has_the_same_work(strings: list[str], seed: int, participants: int) -> None:
    plans = plan(strings, seed=seed, participants=participants, rounds=2)
    assert len(plans) == participants
    counts = [Counter(episode.task for episode in one) for one in plans]
    assert all(count == counts[0] for count in counts)
    assert counts[0]["click-button"] == 2
    assert counts[0][CUSTOMER_RECORD] >= 2


@given(canaries, seeds, people)
def test_seeds_are_all_different_and_for_demonstrations(
    strings: list[str], seed: int, participants: int
) -> None:
    numbers = [episode.seed for one in plan(strings, seed=seed, participants=participants) for episode in one]
    assert len(set(numbers)) == len(numbers)
    assert {use_of(number) for number in numbers} == {Use.DEMONSTRATION}


@given(canaries, seeds)
def test_the_same_seed_gives_the_same_plan_and_another_another(strings: list[str], seed: int) -> None:
    assert plan(strings, seed=seed) == plan(strings, seed=seed)
    assert plan(strings, seed=seed) != plan(strings, seed=seed + 1)


def test_a_title_never_holds_half_a_string() -> None:
    for length in (12, 100, 200):
        string = "zq" + "k" * (length - 2)
        (episode, *_) = plan([string], seed=1, tasks=(), participants=1)[0]
        assert len(episode.title) <= 200
        assert string in episode.title or "zqk" not in episode.title


def test_few_strings_fill_every_field_in_turn() -> None:
    strings = [f"zq{number:04d}kx7w9mv3" for number in range(8)]
    plans = plan(strings, seed=1)
    fields = {
        name
        for one in plans
        for episode in forms(one)
        for name in PLANTED_FIELDS
        if any(string in getattr(episode.record, name) for string in strings)
    }
    assert fields == set(PLANTED_FIELDS)


def test_passwords_differ_and_stand_in_nothing_else_that_is_planned() -> None:
    plans = plan([f"zq{number:04d}kx7w9mv3" for number in range(30)], seed=3)
    records = [episode.record for one in plans for episode in one if episode.record is not None]
    passwords = {record.password for record in records}
    assert len(passwords) == len(records)
    for one in plans:
        for episode in one:
            assert not any(password in episode.title for password in passwords)
            assert episode.record is None or episode.record.password not in episode.record.instruction


def test_the_demonstration_has_every_kind_of_task_and_an_oracle_for_each() -> None:
    kinds = {task(name).kind for name in DEMONSTRATED}
    assert set(Kind) - kinds <= {Kind.SEARCH}
    assert len(DEMONSTRATED) >= 12
    assert set(DEMONSTRATED) <= set(ORACLES)
    assert {one.name for one in TASKS} == set(ORACLES)


@pytest.mark.parametrize(
    ("strings", "tasks", "participants"),
    [([], ("click-button",), 2), (["zq0001kx7w9mv3"], ("no-such",), 2), (["zq0001kx7w9mv3"], (), 0)],
)
def test_a_plan_that_cannot_be_is_refused(
    strings: list[str], tasks: tuple[str, ...], participants: int
) -> None:
    with pytest.raises(PlanError):
        plan(strings, seed=1, tasks=tasks, participants=participants)
