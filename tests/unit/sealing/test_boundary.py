"""Cryptography stays in one package, and this package's errors in one tree."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from understudy.sealing import errors

SOURCE = Path(__file__).parents[3] / "src" / "understudy"


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from (str(a.value).split(".")[0] for a in node.args if isinstance(a, ast.Constant))


def test_only_sealing_imports_cryptography() -> None:
    users = {path for path in SOURCE.rglob("*.py") if "cryptography" in _imports(path)}
    assert users
    assert {path.parent for path in users} == {SOURCE / "sealing"}


def test_the_search_finds_every_way_to_import(tmp_path: Path) -> None:
    for line in (
        "import cryptography",
        "import cryptography.x509 as c",
        "from cryptography import x509",
        "from cryptography.hazmat.primitives import hashes",
        "import importlib; importlib.import_module('cryptography.fernet')",
        "__import__('cryptography')",
    ):
        (tmp_path / "module.py").write_text(line)
        assert "cryptography" in set(_imports(tmp_path / "module.py")), line


def test_there_are_no_bare_asserts_in_sealing() -> None:
    for path in (SOURCE / "sealing").glob("*.py"):
        assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]


def test_every_error_is_in_the_drawn_tree_with_one_root() -> None:
    classes = {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and kind.__module__ == errors.__name__
    }
    drawn = set(re.findall(r"\w+Error", errors.__doc__ or ""))
    assert drawn == set(classes)
    assert set(classes) | {"UnderstudyError"} == set(errors.__all__)
    assert all(issubclass(kind, errors.SealingError) for kind in classes.values())
    assert issubclass(errors.SealingError, errors.UnderstudyError)


def test_an_error_carries_its_hint() -> None:
    assert errors.DurabilityError("no").hint
    assert errors.SealError("no").hint == ""
    assert errors.SealError("no", hint="yes").hint == "yes"
    half = errors.HalfError("c", "wrong", hint="ask again")
    assert (half.role, str(half), half.hint) == ("c", "half c: wrong", "ask again")
