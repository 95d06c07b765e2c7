"""The bootstrap script says what is wrong and what to type, and changes nothing it may not change.

These tests stop before anything is installed: a whole set-up is what every run of `make test` begins with.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.repository.checkout import ROOT

BASH = shutil.which("bash") or "bash"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a bare project: the scripts, an empty lock file and nothing else."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "locks").mkdir()
    (root / "locks" / "dev.txt").touch()
    (root / "pyproject.toml").touch()
    return root


def command(folder: Path, name: str, script: str) -> None:
    """Put a command called ``name`` into ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!{BASH}\n{script}\n")
    (folder / name).chmod(0o755)


def bootstrap(root: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script in ``root``, with the Python of these tests and with commands from ``root / "bin"``."""
    path = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [BASH, "scripts/bootstrap.sh", *args],
        cwd=root,
        env={**os.environ, "PATH": path, "UNDERSTUDY_PYTHON": sys.executable, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_role_is_refused_with_the_roles_there_are(checkout: Path) -> None:
    result = bootstrap(checkout, "manager")
    assert result.returncode == 1
    assert result.stderr == (
        "understudy: error: there is no role manager\nunderstudy: hint: the roles are: dev\n"
    )


@pytest.mark.parametrize("version", ["(3, 10)", "(3, 14)", "(2, 7)"])
def test_another_python_is_refused_with_its_version(checkout: Path, version: str) -> None:
    command(
        checkout / "bin",
        "python-other",
        f'[ "$1" = --version ] && exec echo "Python {version}"\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"',
    )
    result = bootstrap(checkout, UNDERSTUDY_PYTHON="python-other")
    assert result.returncode == 1
    assert f"Python 3.11, 3.12 or 3.13 is needed, and python-other is Python {version}" in result.stderr
    assert "UNDERSTUDY_PYTHON=" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_system_package_is_named_in_the_one_command_to_type(checkout: Path) -> None:
    (checkout / "scripts" / "system-packages.txt").write_text(
        "# comment\n\nhave | all | true | nothing\nxvfb | dev recorder | false | a display of its own\n"
        "openbox | all | false \\| false | windows\nlab | learning | false | another role\n"
    )
    command(checkout / "bin", "id", "echo 1000")
    command(checkout / "bin", "apt-get", "touch called")
    result = bootstrap(checkout)
    assert result.returncode == 1
    assert "the system package xvfb is missing; it is for: a display of its own" in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "understudy: hint: type: sudo apt-get update && "
        "sudo apt-get install -y --no-install-recommends xvfb openbox"
    )
    assert not (checkout / "called").exists()
    assert not (checkout / ".venv").exists()


def test_root_installs_only_what_is_missing(checkout: Path) -> None:
    (checkout / "scripts" / "system-packages.txt").write_text(
        "have | all | true \\| true | a\nxvfb | dev | test -e there | b\n"
    )
    command(checkout / "bin", "id", "echo 0")
    # The package list cannot be fetched: the run ends there, after both calls were noted.
    command(checkout / "bin", "apt-get", 'echo "$@" >>calls; [ "$1" = update ]')
    result = bootstrap(checkout)
    assert result.returncode != 0
    assert (checkout / "calls").read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends xvfb",
    ]


def test_the_shipped_list_of_system_packages_is_well_formed() -> None:
    lines = (ROOT / "scripts" / "system-packages.txt").read_text().splitlines()
    rows = [
        [cell.replace("\0", "|").strip() for cell in line.replace("\\|", "\0").split("|")]
        for line in lines
        if line.strip() and not line.startswith("#")
    ]
    assert rows
    for row in rows:
        package, roles, check, reason = row
        assert package
        assert set(roles.split()) <= {"all", "core", "dev", "learning", "recorder", "server"}
        assert reason
        assert subprocess.run([BASH, "-n", "-c", check], check=False).returncode == 0
