"""``understudy demo``: the whole path on this machine, end to end, by public commands."""

import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from understudy.cli.output import Json, emit, progress_bar, remark
from understudy.demo.commands import run_command
from understudy.demo.script import Demo, Summary
from understudy.demo.summary import plant_canaries, write_summary
from understudy.redaction.canaries.planted import read_canaries


def demo(
    *,
    folder: Annotated[Path, Parameter(help="Where everything of this run goes; emptied first.")] = Path(
        "build/demo"
    ),
    port: Annotated[int, Parameter(help="Server port; custodian and witness take the next two.")] = 8470,
    seed: Annotated[int, Parameter(help="Seed of tasks, texts, and the movements of the hands.")] = 1,
    canaries: Annotated[Path | None, Parameter(help="Strings to plant and look for, one a line.")] = None,
    serve: Annotated[bool, Parameter(help="Go on serving the status page afterwards.")] = True,
    json: Json = False,
) -> None:
    """Two synthetic people work in a browser; it is recorded, redacted, reviewed, sealed, opened, searched.

    Everything runs on virtual displays and loopback addresses of this machine under one operator, which is
    said, and is written under FOLDER: `summary.json` holds what each stage measured, `contact-sheet.png` what
    a reader sees, `opened/` the recordings in clear, `differences.json` and `search.json` the details.
    """
    named, folder = folder, folder.resolve()
    _empty(folder)
    planted = canaries or folder / "canaries.txt"
    if canaries is None:
        plant_canaries(planted, seed)
    read_canaries(planted.read_text())
    run = Demo(folder, port=port, seed=seed, canaries=planted.resolve())
    summary: Summary = {"seed": seed, "seconds": {}}
    started = time.monotonic()
    try:
        for name, stage in run.stages():
            begun = time.monotonic()
            with progress_bar("recording") as bar:
                run.tell = bar
                sentence, facts = stage()
            took = round(time.monotonic() - begun, 2)
            summary[name] = facts
            summary["seconds"][name] = took
            remark(f"{name.replace('_', ' '):<22} {took:6.2f} s  {sentence}")
        summary["seconds_total"] = round(time.monotonic() - started, 2)
        write_summary(folder / "summary.json", summary)
        emit(summary, f"all stages passed; see {named}/summary.json", as_json=json)
        if serve:
            remark(f"the status page is at {run.server}/ until you press Ctrl-C")
            with suppress(KeyboardInterrupt):
                signal.pause()
    finally:
        if (run.home / "run.json").exists():
            run_command("down", "--home", str(run.home), expect=(0, 1))


def _empty(folder: Path) -> None:
    """Stop what an earlier run left behind and start from an empty folder."""
    home = folder / "home"
    if (home / "run.json").exists():
        remark("an earlier demonstration still runs or was killed: stopping it")
        run_command("down", "--home", str(home), expect=(0, 1))
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
