"""The pages are found without running their package, and changed by one style only."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.learning.miniwob import pages
from understudy.learning.miniwob.errors import PagesMissingError
from understudy.learning.miniwob.pages import STYLE, SURROUNDINGS, find_pages, hide_surroundings
from understudy.learning.miniwob.tasks import TASKS


def test_the_pages_of_all_tasks_are_there_and_have_a_head() -> None:
    html = find_pages()
    for task in TASKS:
        page = (html / task.page).read_bytes()
        assert hide_surroundings(page).replace(STYLE, b"") == page
        assert STYLE in hide_surroundings(page)


def test_the_package_is_not_imported() -> None:
    find = "from understudy.learning.miniwob.pages import find_pages; find_pages()"
    code = f"import sys; {find}; print('miniwob' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


def test_a_machine_without_them_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PACKAGE", "understudy_no_such_package")
    with pytest.raises(PagesMissingError) as caught:
        find_pages()
    assert caught.value.hint


def test_a_package_without_pages_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PACKAGE", "understudy")
    with pytest.raises(PagesMissingError):
        find_pages()


def test_what_is_hidden_is_what_the_pages_make() -> None:
    core = (find_pages() / "core" / "core.js").read_text()
    for name in SURROUNDINGS:
        assert f"'{name[1:]}'" in core


@given(page=st.binary(max_size=200))
def test_a_page_without_a_head_stays_as_it_is(page: bytes) -> None:
    changed = hide_surroundings(page)
    if b"</head" not in page.lower():
        assert changed == page
    assert changed.replace(STYLE, b"", 1) == page
