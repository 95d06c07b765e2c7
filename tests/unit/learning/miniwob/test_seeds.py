"""Seeds of one use are never seeds of another."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from understudy.learning.miniwob.seeds import RANGES, SEEDS_EACH, Use, seeds, use_of


def test_the_ranges_share_no_seed() -> None:
    for one, other in combinations(RANGES.values(), 2):
        assert set(one).isdisjoint(other)
    assert all(len(numbers) == SEEDS_EACH for numbers in RANGES.values())


@given(use=st.sampled_from(Use), start=st.integers(0, 2**64))
def test_any_start_gives_distinct_seeds_of_its_range(use: Use, start: int) -> None:
    found = list(seeds(use, start=start, count=5))
    assert len(set(found)) == 5
    assert {use_of(seed) for seed in found} == {use}


def test_a_seed_outside_all_ranges_has_no_use() -> None:
    assert use_of(-1) is None
    assert use_of(len(Use) * SEEDS_EACH) is None
