"""A list of canaries that would prove nothing is refused."""

import pytest

from understudy.redaction.canaries.planted import CanaryError, grams, read_canaries

GOOD = ("qzv7k2mx9w4t", "vq83hfjz0xkd")


def test_lines_are_read_in_order() -> None:
    assert read_canaries("qzv7k2mx9w4t\r\n\n  vq83hfjz0xkd  \n") == GOOD


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "short", "qzv7k2mx9w4t\nqzv7k2mx9w4t", "qzv7k2mx9w4t\nAqzv7k2mx9w4tB", "x" * 201],
)
def test_a_useless_list_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(CanaryError) as caught:
        read_canaries(text)
    assert "qzv7" not in f"{caught.value}{caught.value.hint}"


def test_four_characters_of_a_password_are_one_too_many() -> None:
    assert grams("abcdef") == {"abcd", "bcde", "cdef"}
    assert grams("abc") == frozenset()
