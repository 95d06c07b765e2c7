import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.elements import Box
from understudy.recorder.capture.atspi.bus import Peer
from understudy.recorder.capture.atspi.pages import Page, host_of, state_bits


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Wiki.Example.org:8443/a?b#c", "wiki.example.org"),
        ("http://user:word@127.0.0.1/", "127.0.0.1"),
        ("http://[::1]:8/", "::1"),
        ("https://allowed.example@evil.test/", "evil.test"),
        ("file:///home/synthetic/a.html", ""),
        ("file://allowed.example/home/synthetic/a.html", ""),
        ("chrome-extension://allowed.example/popup.html", ""),
        ("data:text/html,x", ""),
        ("about:blank", ""),
        ("", ""),
        ("http://[broken/", ""),
        ("http://a b/", ""),
    ],
)
def test_the_host_is_the_one_that_the_browser_went_to(address: str, host: str) -> None:
    assert host_of(address) == host


@given(st.text())
def test_any_text_is_an_address_or_none(address: str) -> None:
    assert host_of(address) == "" or len(host_of(address)) <= 253


@given(st.one_of(st.none(), st.integers(), st.lists(st.integers(0, 2**32 - 1), max_size=3)))
def test_states_that_are_no_states_are_none(words: object) -> None:
    assert 0 <= state_bits(words) < 2**64


def test_a_page_does_not_show_its_title_or_address() -> None:
    page = Page(
        host="h.example",
        title="Synthetic title",
        box=Box(0, 0, 1, 1),
        application="x",
        peer=Peer(":1.1", "/1"),
        address="http://h.example/synthetic",
    )
    assert "ynthetic" not in repr(page)
