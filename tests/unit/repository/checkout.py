"""The files of the project, as a reader of the repository sees them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
MADE = frozenset({".git", ".venv", "build", "dist", "node_modules", "__pycache__"})


def project_files() -> list[Path]:
    """Return every file that is tracked, or new and not ignored, relative to the root, sorted.

    Without git, in an unpacked archive say, every file counts that is not in a folder the verbs make.
    """
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return sorted(path.relative_to(ROOT) for path in _walk(ROOT))
    listing = subprocess.run(
        [git, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(Path(name) for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in MADE and not path.name.endswith("_cache"):
            yield from _walk(path)
        elif path.is_file():
            yield path


def source_files(*folders: str) -> list[Path]:
    """Return the Python files below ``folders``, relative to the root; vendored code does not count."""
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and path.parts[0] in folders and "vendor" not in path.parts
    ]


def read(path: Path) -> str:
    """Return the text of ``path``, relative to the root; nothing for a file that is not text."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""
