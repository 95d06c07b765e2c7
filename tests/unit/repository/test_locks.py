"""Lock files pin, hash and agree, and name no place on the network.

Why: docs/adr/0001-address-free-locks.md.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.repository.checkout import ROOT, project_files, read

ROLES = ("core", "dev", "learning", "recorder", "server")
EXTRAS = {"core": (), "dev": ("recorder", "server", "dev")}
ADDRESS = re.compile(r"\b(https?|git\+\w+|ssh|ftp|file)://", re.IGNORECASE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def is_lock(path: Path) -> bool:
    """Tell whether a package manager reads its package's sources or addresses from ``path``."""
    return (
        path.parts[0] == "locks"
        or path.name in {".npmrc", "pip.conf", "Pipfile"}
        or (path.suffix in {".txt", ".json", ".lock", ".toml", ".yaml"} and "lock" in path.name)
        or (path.suffix in {".txt", ".in"} and "requirements" in path.name)
    )


def entries(lock: str) -> list[str]:
    """Return the requirements of a lock file, each as one line."""
    joined = lock.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def pins(role: str) -> dict[str, set[str]]:
    """Return the versions that a role's lock file gives each package."""
    found: dict[str, set[str]] = {}
    for entry in entries(read(Path(f"locks/{role}.txt"))):
        requirement = Requirement(entry.split("--hash")[0])
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", entry
        found.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return found


def test_no_lock_file_holds_an_address() -> None:
    locks = [path for path in project_files() if is_lock(path)]
    assert {path.name for path in locks} >= {f"{role}.txt" for role in ROLES}
    assert [str(path) for path in locks if ADDRESS.search(read(path))] == []


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https://packages.example/simple",
        '"resolved": "http://registry.example/a/-/a-1.0.0.tgz"',
        "name @ git+ssh://host.example/name",
        "--find-links file:///wheels",
    ],
)
def test_an_address_would_be_found(text: str) -> None:
    assert ADDRESS.search(text)


@pytest.mark.parametrize(
    "name", ["locks/dev.txt", "uv.lock", "web/package-lock.json", ".npmrc", "a/requirements.txt"]
)
def test_lock_files_are_recognised(name: str) -> None:
    assert is_lock(Path(name))


@pytest.mark.parametrize("role", ROLES)
def test_every_locked_package_is_pinned_and_hashed(role: str) -> None:
    listed = entries(read(Path(f"locks/{role}.txt")))
    assert listed
    assert [entry.split()[0] for entry in listed if not HASH.search(entry)] == []
    assert pins(role)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_agrees_with_dev_about_every_version(role: str) -> None:
    dev = pins("dev")
    assert {name for name, versions in pins(role).items() if versions != dev.get(name, versions)} == set()


@pytest.mark.parametrize("role", ROLES)
def test_what_is_declared_is_locked_at_a_version_it_allows(role: str) -> None:
    declared = tomllib.loads(read(Path("pyproject.toml")))
    project = declared["project"]
    wanted = project["dependencies"] + declared["dependency-groups"]["build"]
    for extra in EXTRAS.get(role, (role,)):
        wanted += project["optional-dependencies"][extra]
    locked = pins(role)
    for requirement in map(Requirement, wanted):
        if requirement.name == "torch":
            continue
        versions = locked.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not locked for {role}: run `make locks`"
        assert all(version in requirement.specifier for version in versions), (
            f"{requirement}: run `make locks`"
        )


def test_torch_stays_out_of_the_locks_and_is_pinned_exactly() -> None:
    # A CUDA build is gigabytes, and the same version has other hashes for every processor and accelerator.
    assert [name for name in pins("learning") if re.match(r"torch$|triton|cuda|nvidia", name)] == []
    assert re.search(r'"torch==[0-9.]+"', (ROOT / "pyproject.toml").read_text())
