"""Runs command lines as a person would type them, in one bash with ``understudy`` on its path."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_EXITS = re.compile(r"\s+# exits with (\d+)$")


@dataclass(frozen=True)
class Typed:
    """One line after a prompt, and the exit code it is said to have."""

    text: str
    code: int


def console_lines(document: Path) -> list[Typed]:
    """Return the lines after ``$`` in a document's console blocks, in order."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                code = _EXITS.search(line)
                text = _EXITS.sub("", line[2:])
                found.append(Typed(text=text, code=int(code[1]) if code else 0))
    return found


def run_typed(lines: list[Typed], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the lines in one shell in ``folder``; stops at the first that ends with another code.

    What the lines left running in the background is ended with the shell, detached processes apart.
    """
    tools = folder / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    python = f'"{sys.executable}"'
    for name, target in (("understudy", f"{python} -m understudy"), ("python3", python)):
        (tools / name).write_text(f'#!/bin/sh\nexec {target} "$@"\n')
        (tools / name).chmod(0o755)
    if (
        os.geteuid() == 0
    ):  # no browser isolates its pages as root; people are not root, some test machines are
        (tools / "chromium").write_text(f'#!/bin/sh\nexec {shutil.which("chromium")} --no-sandbox "$@"\n')
        (tools / "chromium").chmod(0o755)
    script = []
    for line in lines:
        script.append(f"echo '+ {line.text}' | tr -d '\\n' >&2; echo >&2" if "'" not in line.text else "")
        script.append(line.text)
        script.append(f'code=$?; [ $code -eq {line.code} ] || {{ echo "ended with $code" >&2; exit 99; }}')
    command = ["bash", "-c", "\n".join(script)]
    running = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, complained = running.communicate(timeout=240)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    return subprocess.CompletedProcess(command, running.returncode, said, complained)
