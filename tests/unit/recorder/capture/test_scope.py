"""What is not listed is out, and so is what is not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.consent.programme import ApplicationGroup
from understudy.recorder.capture.scope import Scope

GROUP = ApplicationGroup(
    name="office",
    applications=("LibreOffice-Writer", "gedit"),
    sites=("wiki.example.org", "*.shop.example", "127.0.0.1", "*", "*.", "a*.example", ""),
)


@pytest.mark.parametrize(
    ("application", "host", "has_page", "is_allowed"),
    [
        ("gedit", None, False, True),
        ("GEdit", None, False, True),
        ("libreoffice-writer", "", False, True),
        ("gedit-private", None, False, False),
        ("edit", None, False, False),
        ("", None, False, False),
        ("chromium", None, False, False),
        ("chromium", "wiki.example.org", True, True),
        ("chromium", "WIKI.example.org.", True, True),
        ("", "wiki.example.org", True, True),
        ("chromium", "127.0.0.1", True, True),
        ("chromium", "a.shop.example", True, True),
        ("chromium", "b.a.shop.example", True, True),
        ("chromium", "shop.example", True, False),
        ("chromium", "evilshop.example", True, False),
        ("chromium", "wiki.example.org.evil.test", True, False),
        ("chromium", "xwiki.example.org", True, False),
        ("chromium", "ab.example", True, False),
        ("gedit", "", True, False),
        ("gedit", None, True, False),
        ("gedit", "elsewhere.example", True, False),
        ("gedit", "elsewhere.example", False, False),
    ],
)
def test_only_what_is_listed_is_in_scope(
    application: str, host: str | None, has_page: bool, is_allowed: bool
) -> None:
    assert Scope(GROUP).allows(application, host, has_page=has_page) is is_allowed


@given(st.text(max_size=20), st.none() | st.text(max_size=30), st.booleans())
def test_an_empty_list_allows_nothing(application: str, host: str | None, has_page: bool) -> None:
    assert not Scope(ApplicationGroup(name="none")).allows(application, host, has_page=has_page)


@given(st.text(max_size=20), st.text(max_size=30))
def test_a_page_is_never_allowed_for_its_application(application: str, host: str) -> None:
    group = ApplicationGroup(name="any", applications=(application or "x",))
    assert not Scope(group).allows(application, host, has_page=True)
