import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.recorder.capture.atspi.pace import (
    EFFECT,
    LONGEST,
    QUIET,
    SEEK,
    SHARE,
    SWIFT,
    TEXT_EVERY,
    Job,
    Pace,
)


def test_changes_that_never_end_are_read_all_the_same() -> None:
    pace = Pace()
    now, reads = 0.0, 0
    while now < 2.0:
        pace.changed(now)
        if pace.take(now) is Job.READ:
            pace.read(now, took=0.005)
            reads += 1
        now += 0.01
    assert 2.0 / LONGEST - 1 <= reads <= 2.0 / LONGEST + 1


def test_an_act_is_looked_at_soon_even_while_somebody_types() -> None:
    pace = Pace()
    pace.typed(10.0)
    pace.read(10.0, took=0.5)
    pace.changed(10.1)
    assert pace.due is not None
    assert pace.due > 11
    pace.acted(10.2)
    assert pace.take(10.2 + QUIET) is Job.READ


def test_what_changes_after_an_act_is_read_before_the_next_one_even_where_reading_is_slow() -> None:
    pace = Pace()
    pace.acted(10.0)
    assert pace.take(10.1) is Job.READ
    pace.read(10.16, took=0.06)
    pace.changed(10.2)
    assert pace.due == pytest.approx(10.2 + QUIET), "a calendar that closes"
    pace.take(10.3)
    pace.read(10.3, took=0.06)
    pace.changed(10.0 + EFFECT + 0.01)
    assert pace.due == pytest.approx(10.0 + EFFECT + 0.01 + QUIET)
    pace.take(11.2)
    pace.read(11.2, took=0.06)
    pace.changed(11.21)
    assert pace.due == pytest.approx(11.2 + (0.06 - SWIFT) * SHARE), "no act asks for it any more"


def test_after_an_act_no_more_than_half_of_the_time_goes_to_slow_readings() -> None:
    pace = Pace()
    pace.acted(0.0)
    now, reading = 0.0, 0.0
    while now < EFFECT:
        pace.changed(now)
        if pace.take(now) is Job.READ:
            now, reading = now + 0.2, reading + 0.2
            pace.read(now, took=0.2)
        now += 0.01
    assert reading <= 0.6 * now


@pytest.mark.parametrize(("between", "most"), [(0.15, 1 / TEXT_EVERY), (0.4, 1 / 0.4)])
def test_text_is_read_after_each_key_and_told_now_and_then(between: float, most: float) -> None:
    pace = Pace()
    told = read = 0
    typed = 100.0
    for step in range(600):
        now = 100.0 + step / 100
        if now >= typed:
            typed = now + between
            pace.typed(now)
            pace.text_changed(now)
        job = pace.take(now)
        if job is Job.TEXT:
            pace.text_read(now)
            read += 1
        elif job is Job.TOUCH:
            pace.told()
            told += 1
    assert read >= 6 / between - 2
    assert 6 * most - 2 <= told <= 6 * most + 1


def test_text_is_told_at_once_when_the_pointer_sets_out() -> None:
    pace = Pace()
    pace.text_changed(1.0)
    pace.moved(1.02)
    assert pace.take(1.04) is Job.TEXT
    pace.text_read(1.045)
    assert pace.take(1.045) is Job.TOUCH


def test_telling_waits_for_a_reading_that_is_due() -> None:
    pace = Pace()
    pace.focus_changed(1.0)
    pace.acted(1.02)
    assert pace.take(1.05) is None
    assert pace.take(1.07) is Job.READ


def test_nothing_is_due_after_clear() -> None:
    pace = Pace()
    pace.changed(1.0)
    pace.moved(1.0)
    pace.clear()
    assert pace.due is None
    pace.locate(SEEK)
    pace.locate(SEEK * 2)
    assert pace.due == SEEK


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["changed", "acted", "typed", "text_changed", "text_read", "focus_changed", "moved", "told"]
            ),
            st.floats(min_value=0, max_value=0.5),
        ),
        max_size=40,
    )
)
def test_every_change_is_followed_by_a_reading(steps: list[tuple[str, float]]) -> None:
    pace, now, is_open = Pace(), 0.0, False
    for name, wait in steps:
        now += wait
        getattr(pace, name)(*(() if name == "told" else (now,)))
        is_open = is_open or name in ("changed", "acted")
        job = pace.take(now)
        if job is Job.READ:
            pace.read(now, took=0.01)
            is_open = False
    if is_open:
        jobs = []
        while (due := pace.due) is not None:
            jobs.append(pace.take(due))
        assert Job.READ in jobs
