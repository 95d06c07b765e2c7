"""House rules about source files that no linter knows."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.repository.checkout import read, source_files

MEDIAN_LINES = 200
LONGEST_LINES = 700
CODE = ("src", "tests", "bench", "scripts")
EMPTY_NAMES = re.compile(r"(utils?|helpers?|managers?|commons?|misc)", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|raise NotImplemented)\b")
MAY_BE_ASYNC = ("web", "recorder")


def lines(path: Path) -> int:
    """Return the number of lines of a file."""
    return len(read(path).splitlines())


def test_the_median_source_file_is_short() -> None:
    assert median(lines(path) for path in source_files("src")) <= MEDIAN_LINES


def test_no_file_is_longer_than_one_idea() -> None:
    assert [str(path) for path in source_files(*CODE) if lines(path) > LONGEST_LINES] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    def says_nothing(path: Path) -> bool:
        return any(EMPTY_NAMES.fullmatch(part.removesuffix(".py")) for part in path.parts)

    assert [str(path) for path in source_files(*CODE) if says_nothing(path)] == []
    assert says_nothing(Path("src/understudy/vault/helpers.py"))
    assert says_nothing(Path("src/understudy/common/base.py"))
    assert not says_nothing(Path("src/understudy/vault/catalogue.py"))


def test_nothing_in_the_product_is_left_unfinished() -> None:
    unfinished = {str(path): UNFINISHED.findall(read(path)) for path in source_files("src", "bench")}
    assert {path: words for path, words in unfinished.items() if words} == {}


def test_only_the_rim_is_asynchronous() -> None:
    def is_async(path: Path) -> bool:
        kinds = (ast.AsyncFunctionDef, ast.AsyncWith, ast.AsyncFor, ast.Await)
        return any(isinstance(node, kinds) for node in ast.walk(ast.parse(read(path))))

    core = [path for path in source_files("src") if path.parts[2] not in MAY_BE_ASYNC]
    assert [str(path) for path in core if is_async(path)] == []


def imported(path: Path) -> set[str]:
    """Return the top-level names of the modules that a file imports, its own project and Python excepted."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"understudy", "tests", "bench", "__future__"}


@pytest.mark.parametrize("folder", ["src", "tests", "bench"])
def test_every_package_that_is_imported_is_declared(folder: str) -> None:
    # What is merely installed because something else needs it may be gone with the next lock file.
    project = tomllib.loads(read(Path("pyproject.toml")))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *extras["server"], *extras["recorder"], *extras["learning"]]
    if folder != "src":
        declared += extras["dev"]
    allowed = {canonicalize_name(Requirement(text).name) for text in declared}
    provided_by = packages_distributions()
    undeclared = {
        f"{path}: {name}"
        for path in source_files(folder)
        for name in imported(path)
        if not allowed & {canonicalize_name(provider) for provider in provided_by.get(name, [name])}
    }
    assert undeclared == set()
