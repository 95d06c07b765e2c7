"""Disguises look alike in a view, and every view leads back to its text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.redaction.folding import BARE, PLAIN, SQUEEZED, View, is_unspaced, is_whole_word

VIEWS = [PLAIN, SQUEEZED, BARE]


@pytest.mark.parametrize(
    "disguised",
    [
        "JANE DOE",
        "jane\u200bdoe",
        "ｊａｎｅ　ｄｏｅ",
        "ja\u0301ne\u00a0doe",
        "Jane\nDoe",
        "\ufeffjane doe\u00ad",
        "𝐉𝐚𝐧𝐞 𝐃𝐨𝐞",
    ],
)
def test_disguises_are_alike_when_squeezed(disguised: str) -> None:
    assert SQUEEZED.of(disguised) == "janedoe"


def test_other_scripts_stay_what_they_are() -> None:
    assert SQUEEZED.of("Жанна") == "жанна"
    assert SQUEEZED.of("Straße") == "strasse"


@pytest.mark.parametrize("view", VIEWS)
@settings(max_examples=100)
@given(text=st.text(max_size=60))
def test_bytes_and_characters_give_one_view(view: View, text: str) -> None:
    assert view.of(text) == view.of(text + "é").removesuffix(view.of("é"))
    assert len(view.starts(text)) == len(view.of(text))


@settings(max_examples=100)
@given(st.text(max_size=30), st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_a_stretch_of_a_view_leads_back_to_the_text(before: str, middle: str, after: str) -> None:
    length = len(SQUEEZED.of(middle))
    if not length:
        return
    at = len(SQUEEZED.of(before))
    start, end = SQUEEZED.span(before + middle + after, at, at + length)
    assert SQUEEZED.of((before + middle + after)[start:end]) == SQUEEZED.of(middle)


def test_lone_surrogates_vanish() -> None:
    assert PLAIN.of("a\ud800b") == "ab"


def test_words_end_at_letters_and_digits_also_behind_invisible_characters() -> None:
    assert is_whole_word("an Eve, yes", 3, 6)
    assert not is_whole_word("Steven", 2, 5)
    assert not is_whole_word("St\u200bEve", 3, 6)


def test_scripts_without_spaces_are_known() -> None:
    assert is_unspaced("田中")
    assert not is_unspaced("Jane Ωμέγα")
