"""What was entered follows from the values where they are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.recording.entry import bears_out, entered, text_of
from understudy.formats.recording.keysyms import Typed

words = st.text("ab ", max_size=8)


@pytest.mark.parametrize(
    ("text", "before", "after", "expected"),
    [
        ("amber", "", "amber", "amber"),
        ("1120A", "", "11:20 AM", "11:20 AM"),
        ("x", "cat", "caxt", "x"),
        ("amour", "amber", "amour", "amour"),
        (None, "amber", "amour", "ou"),
        (None, "", "amber", "amber"),
        ("amber", None, "amber", "amber"),
        ("amber", "", None, "amber"),
        (None, None, "amber", None),
        ("abc", "same", "same", "abc"),
        ("", "cat", "ca", ""),
        ("a", "aa", "aaa", "a"),
        ("new", "something old", "new", "new"),
    ],
)
def test_values_decide_where_both_are_known(
    text: str | None, before: str | None, after: str | None, expected: str | None
) -> None:
    assert entered(text, before=before, after=after) == expected


@given(before=words, text=words, start=st.integers(0, 8), end=st.integers(0, 8))
def test_text_put_in_anywhere_is_borne_out(before: str, text: str, start: int, end: int) -> None:
    start, end = sorted((min(start, len(before)), min(end, len(before))))
    after = before[:start] + text + before[end:]
    assert bears_out(text, before=before, after=after)
    assert entered(text, before=before, after=after) == text


@given(before=words, text=words, after=words)
def test_what_is_borne_out_could_have_been_put_in(before: str, text: str, after: str) -> None:
    spans = ((start, end) for end in range(len(before) + 1) for start in range(end + 1))
    possible = any(before[:start] + text + before[end:] == after for start, end in spans)
    assert bears_out(text, before=before, after=after) == possible


@given(before=words, after=words)
def test_the_difference_of_two_values_explains_the_second(before: str, after: str) -> None:
    text = entered(None, before=before, after=after)
    assert text is None if before == after else bears_out(text, before=before, after=after)


def test_texts_over_the_bound_are_not_told() -> None:
    assert text_of([Typed("a")] * 8_000) == "a" * 8_000
    assert text_of([Typed("a")] * 8_001) is None
