"""What the documents say about the repository is so."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.repository.checkout import ROOT, project_files, read

MACHINE_PATH = re.compile(r"(^|[^A-Za-z0-9_.-])/(work|farm|root)/", re.MULTILINE)
VERB = re.compile(r"^([a-z][a-z%-]*):", re.MULTILINE)
CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
COMMAND = re.compile(r"(?:\$ )?(?:\w+=\S+ )*make ([a-zA-Z-]+)")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def documents() -> list[Path]:
    """Return the Markdown files of the project."""
    return [path for path in project_files() if path.suffix == ".md" and "vendor" not in path.parts]


def verbs() -> set[str]:
    """Return the targets of the Makefile; ``bench-`` stands for all benchmarks."""
    return {verb.removesuffix("%") for verb in VERB.findall(read(Path("Makefile")))}


def test_no_file_names_a_path_of_one_machine() -> None:
    files = [path for path in project_files() if "vendor" not in path.parts]
    assert [str(path) for path in files if MACHINE_PATH.search(read(path))] == []


@pytest.mark.parametrize("text", ["see /" + "root/.cache", "path=/" + "work/main", "(/" + "farm/x)"])
def test_a_machine_path_would_be_found(text: str) -> None:
    assert MACHINE_PATH.search(text)


def commands(text: str) -> set[str]:
    """Return the verbs of every ``make`` command that ``text`` shows as code."""
    shown = [line for block, span in CODE.findall(text) for line in (block or span).splitlines()]
    return {found[1] for line in shown if (found := COMMAND.match(line))}


def test_every_make_command_in_the_documents_exists() -> None:
    known = verbs()
    assert {"setup", "demo", "test", "lint", "locks", "bench-"} <= known
    unknown = {
        f"{path}: make {verb}"
        for path in documents()
        for verb in commands(read(path))
        if verb not in known and not (verb.startswith("bench-") and "bench-" in known)
    }
    assert unknown == set()


def test_an_invented_make_command_would_be_found() -> None:
    text = "Type `make coffee`, or\n```sh\n$ X=1 make tea\nmake bench-door\n```\nand make sure."
    assert commands(text) == {"coffee", "tea", "bench-door"}


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = {
        f"{path}: {target}"
        for path in documents()
        for target in LINK.findall(read(path))
        if not (ROOT / path.parent / target).exists()
    }
    assert broken == set()


def test_every_decision_record_has_a_number_of_its_own() -> None:
    records = [path for path in documents() if path.parts[:2] == ("docs", "adr")]
    assert records
    assert [path.name for path in records if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)] == []
    numbers = Counter(path.name[:4] for path in records)
    assert [number for number, count in numbers.items() if count > 1] == []
