"""Addresses: nothing leaves in clear for another machine unless somebody says so aloud."""

import pytest

from understudy.contract.address import PlainTransportWarning, checked_address
from understudy.contract.errors import AnswerError, InsecureError


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://127.0.0.1:8470", "http://127.0.0.1:8470"),
        ("http://127.0.0.1:8470/", "http://127.0.0.1:8470"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://localhost", "http://localhost"),
        ("https://example.org", "https://example.org"),
        ("https://EXAMPLE.org:8443", "https://example.org:8443"),
    ],
)
def test_an_address_is_used_in_one_spelling(given: str, used: str) -> None:
    assert checked_address(given) == used


@pytest.mark.parametrize(
    "given",
    [
        "http://10.0.0.1",
        "http://example.org:80",
        "http://localhost.example.org",
        "http://0.0.0.0:1",
        "http://127.1.example",
    ],
)
def test_plain_http_goes_to_loopback_only(given: str) -> None:
    with pytest.raises(InsecureError):
        checked_address(given)


def test_plain_http_elsewhere_is_announced() -> None:
    with pytest.warns(PlainTransportWarning):
        assert checked_address("http://10.0.0.1", allow_plain=True) == "http://10.0.0.1"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "example.org",
        "ftp://example.org",
        "https://",
        "https://u:p@example.org",
        "https://a/b",
        "https://a?b",
        "https://a:x",
        "https://a#b",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(AnswerError):
        checked_address(given)
