"""Typing has a person's gaps, and what stands there in the end is the text."""

import random
import statistics

from hypothesis import given
from hypothesis import strategies as st

from understudy.demo.rhythm import BACKSPACE, MAX_SLIPS, MEDIAN_MS, Stroke, strokes, typing_median

texts = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=80)
seeds = st.integers(0, 2**32)


def result(planned: tuple[Stroke, ...]) -> str:
    typed: list[str] = []
    for stroke in planned:
        if stroke.character == BACKSPACE:
            typed.pop()
        else:
            typed.append(stroke.character)
    return "".join(typed)


@given(texts, seeds)
def test_what_is_typed_in_the_end_is_the_text(text: str, seed: int) -> None:
    planned = strokes(text, rng=random.Random(seed))
    assert result(planned) == text
    assert len(planned) - len(text) <= 2 * MAX_SLIPS


@given(texts, seeds)
def test_gaps_and_holds_are_a_persons(text: str, seed: int) -> None:
    for stroke in strokes(text, rng=random.Random(seed)):
        assert 35 <= stroke.gap_ms <= 900
        assert 35 <= stroke.hold_ms <= 140


@given(texts, seeds)
def test_without_slips_every_key_is_a_character_of_the_text(text: str, seed: int) -> None:
    planned = strokes(text, rng=random.Random(seed), slips=False)
    assert [stroke.character for stroke in planned] == list(text)


def test_the_median_gap_is_human_and_long_texts_are_faster() -> None:
    gaps = [
        stroke.gap_ms for seed in range(60) for stroke in strokes("another text", rng=random.Random(seed))
    ]
    assert 110 <= statistics.median(gaps) <= 140
    long = [stroke.gap_ms for stroke in strokes("another text " * 20, rng=random.Random(1))]
    assert statistics.median(long) < 0.7 * MEDIAN_MS


def test_slips_happen_now_and_then_and_are_taken_back() -> None:
    slipped = sum(
        any(
            stroke.character == BACKSPACE for stroke in strokes("a few common words", rng=random.Random(seed))
        )
        for seed in range(400)
    )
    assert 20 <= slipped <= 120


def test_the_same_seed_types_the_same() -> None:
    assert strokes("once more", rng=random.Random(5)) == strokes("once more", rng=random.Random(5))
    assert strokes("once more", rng=random.Random(5)) != strokes("once more", rng=random.Random(6))


@given(st.integers(0, 1_000))
def test_the_median_never_rises_with_length(length: int) -> None:
    assert typing_median(length) >= typing_median(length + 1)
