"""What is ordinary stays: interface texts of the task pages, lines of programs, everyday prose."""

import importlib.util
import sysconfig
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import pytest

from understudy.redaction.detection import detector
from understudy.redaction.redactor import Redactor

MOST_CHANGED_TEXTS = 0.03
MOST_CHANGED_LINES = 0.01


class Texts(HTMLParser):
    """Collects what a page shows: text, and attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"script", "style"}
        shown = {"placeholder", "value", "title", "alt", "aria-label", "label"}
        self.found |= {value for name, value in attrs if name in shown and value}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.found.add(" ".join(data.split()))


def page_texts() -> list[str]:
    spec = importlib.util.find_spec("miniwob")
    if spec is None or spec.origin is None:
        pytest.skip("the package miniwob is not installed")
    texts = Texts()
    for page in sorted((Path(spec.origin).parent / "html").rglob("*.html")):
        texts.feed(page.read_text(errors="ignore"))
    return sorted(text for text in texts.found if any(map(str.isalpha, text)))


def test_interface_texts_of_task_pages_stay() -> None:
    texts = page_texts()
    changed = [text for text in texts if Redactor(bytes(32)).text(text) != text]
    assert len(texts) > 300
    assert len(changed) / len(texts) <= MOST_CHANGED_TEXTS


def test_lines_of_programs_stay() -> None:
    folder = Path(sysconfig.get_paths()["stdlib"])
    lines = [
        line.strip()
        for path in sorted(folder.glob("*.py"))
        for line in path.read_text(errors="ignore").splitlines()
    ]
    sample = Random(3).sample([line for line in lines if len(line) > 10], 3000)
    changed = [line for line in sample if detector().hits(line)]
    assert len(changed) / len(sample) <= MOST_CHANGED_LINES


def test_sentences_without_anybody_in_them_stay() -> None:
    redactor = Redactor(bytes(32))
    for text in (
        "Find the cheapest flight on the next day, then press Book.",
        "Wählen Sie bitte ein Datum aus und klicken Sie auf Weiter.",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.",
        "Select rA8 and click Submit.",
        "Drag the smaller box so that it is completely inside the larger box.",
        "Your order of 12 items ships on Monday, 3 June.",
    ):
        assert redactor.text(text) == text
