"""Gaps: one kind, widened to the grid, united, and silent on why."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from understudy.formats.recording.gaps import Gap, is_whole, united, widened
from understudy.formats.recording.rules import gap_problems

spans = st.lists(st.builds(Gap, from_ms=st.integers(0, 40), to_ms=st.integers(0, 40)), max_size=8)


def test_a_gap_has_no_field_for_a_reason() -> None:
    assert [field.name for field in fields(Gap)] == ["from_ms", "to_ms"]


@given(gaps=spans)
def test_united_gaps_cover_the_same_stretches_and_keep_the_rules(gaps: list[Gap]) -> None:
    joined = united(gaps)
    assert list(gap_problems(joined)) == []
    for moment in range(40):
        covered = any(gap.from_ms <= moment < gap.to_ms for gap in gaps)
        assert covered == (not is_whole(joined, moment, moment + 1))


@given(start=st.integers(0, 10_000), length=st.integers(0, 5_000), grid=st.sampled_from([250, 1_000, 3_000]))
def test_widening_covers_the_gap_and_lies_on_the_grid(start: int, length: int, grid: int) -> None:
    gap = widened(start, start + length, grid)
    assert gap.from_ms % grid == gap.to_ms % grid == 0
    assert gap.from_ms <= start <= start + length <= gap.to_ms
    assert 0 < gap.to_ms - gap.from_ms < length + 2 * grid
