"""The import contracts in pyproject.toml hold, and each of them can break.

The seeded faults are tried in an empty skeleton of the project, with every package that the design names, so
that a contract is also tested for the packages that are still to come.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.repository.checkout import ROOT

LINT_IMPORTS = str(Path(sys.executable).with_name("lint-imports"))
LAYERS = (
    "cli > demo > recorder | learning > web > incidents > rights > releases > access > vault > programme"
    " > client > contract > custody > redaction | transparency > formats > sealing > consent"
)
INNER = ("formats.recording", "web.app", "web.api", "web.console", "web.identity", "web.player")


def lint(root: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Run the import contracts over the package in ``root / "src"``."""
    options = [option for contract in contracts for option in ("--contract", contract)]
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--config", str(ROOT / "pyproject.toml"), *options],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """Return a folder with every package of the design, all empty."""
    root = tmp_path / "src" / "understudy"
    for name in ("", *re.findall(r"\w+", LAYERS), *INNER):
        folder = root.joinpath(*name.split("."))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    return tmp_path


def test_the_project_keeps_its_contracts() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


def test_the_layers_are_those_of_the_design() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["id"] == "layers"]
    assert " > ".join(layers).replace("(", "").replace(")", "") == LAYERS


def test_an_empty_skeleton_of_the_whole_design_keeps_every_contract(skeleton: Path) -> None:
    result = lint(skeleton)
    assert result.returncode == 0, result.stdout


FAULTS = {
    "a lower package imports a higher one": ("layers", {"consent/scope": "import understudy.vault"}),
    "siblings see each other": ("layers", {"redaction/text": "import understudy.transparency"}),
    "the recorder sees learning": ("layers", {"recorder/app": "import understudy.learning"}),
    "a package has no layer": ("layers", {"telemetry": "x = 1"}),
    "the api sees the console": ("web-layers", {"web/api/routes": "import understudy.web.console"}),
    "the player sees the api": ("web-layers", {"web/player/page": "import understudy.web.api"}),
    "the recorder reaches the vault": ("far-side", {"recorder/app": "import understudy.vault"}),
    "the recorder reaches access through another": (
        "far-side",
        {"recorder/app": "import understudy.web.theme", "web/theme": "import understudy.access"},
    ),
    "learning reaches identity through another": (
        "far-side",
        {"learning/train": "import understudy.web.app", "web/app/__init__": "import understudy.web.identity"},
    ),
    "the vault does its own cryptography": (
        "cryptography",
        {"vault/keys": "from cryptography.hazmat.primitives import hashes"},
    ),
    "a function hides its import": (
        "cryptography",
        {"client/http": "def f() -> None:\n    import cryptography"},
    ),
    "another library of cryptography": ("cryptography", {"formats/chunks": "from nacl import secret"}),
    "access speaks to the framework": ("web-framework", {"access/door": "from litestar import get"}),
    "a recording needs pyarrow": ("plain-recording", {"formats/recording/reader": "import pyarrow.parquet"}),
    "a recording needs pyarrow through another": (
        "plain-recording",
        {"formats/recording/reader": "import understudy.formats.table", "formats/table": "import pyarrow"},
    ),
    "modules import in a circle": (
        "acyclic",
        {"vault/a": "import understudy.vault.b", "vault/b": "import understudy.vault.a"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_breaks_its_contract(fault: str, skeleton: Path) -> None:
    contract, modules = FAULTS[fault]
    for name, text in modules.items():
        (skeleton / "src" / "understudy" / f"{name}.py").write_text(text)
    result = lint(skeleton, contract)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout
    assert "0 kept, 1 broken" in result.stdout
