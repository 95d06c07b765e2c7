"""The operator's log says what broke and never who did what."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.web.journal import FORBIDDEN, MAX_FIELD_CHARACTERS, open_journal, scrub


@given(st.dictionaries(st.sampled_from(sorted(FORBIDDEN)), st.text()))
def test_no_forbidden_field_is_ever_written(fields: dict[str, str]) -> None:
    assert scrub(None, "info", {"event": "x", **fields}) == {"event": "x"}


def test_case_does_not_smuggle_a_field_in() -> None:
    assert scrub(None, "info", {"Authorization": "x", "TAG": "y", "event": "z"}) == {"event": "z"}


def test_bytes_and_long_strings_are_not_written() -> None:
    kept = scrub(None, "info", {"event": "x", "raw": b"1", "more": "y" * (MAX_FIELD_CHARACTERS + 1)})
    assert kept == {"event": "x", "more": f"{MAX_FIELD_CHARACTERS + 1} characters"}


def test_a_line_is_one_json_object_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    journal = open_journal("server")
    error = ValueError("the key is 0123")
    journal.error("call failed", route="/v1/opens", error="ValueError", exc_info=error)
    line = json.loads(written.getvalue())
    assert (line["event"], line["party"], line["route"]) == ("call failed", "server", "/v1/opens")
    assert "0123" not in written.getvalue()
