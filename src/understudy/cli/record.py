"""``understudy record``: run the recorder in the foreground until it is told to stop."""

import sys
from typing import Annotated

from cyclopts import Parameter

from understudy.cli.connect import (
    DEFAULT_DEVICE,
    DEFAULT_SERVER,
    DeviceHome,
    ServerUrl,
    connect,
    open_device,
)
from understudy.cli.output import Json, emit, remark
from understudy.recorder.app import figures_of, group_of, run
from understudy.recorder.control import State
from understudy.recorder.session import Settings, Summary

UNLABELLED = "unlabelled"


def record(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    group: Annotated[
        str, Parameter(help="Application group to record; default: the first one consented to.")
    ] = "",
    title: Annotated[str, Parameter(help="What the recording is called; redacted like all else.")] = "",
    task: Annotated[str, Parameter(help="Task label: all of it that the server will know.")] = UNLABELLED,
    instruction: Annotated[str, Parameter(help="What was to be done, in words; redacted as well.")] = "",
    display: Annotated[str | None, Parameter(help="X display; default: the environment's.")] = None,
    wait: Annotated[
        bool, Parameter(negative="", help="Start ready, and record only after `understudy recorder begin`.")
    ] = False,
    json: Json = False,
) -> None:
    """Record what you do in the applications and sites of one group, until Ctrl-C.

    A window in the corner says so for as long as it does; its button pauses. What is recorded is redacted
    within seconds and held on this device for your review. Nothing is uploaded before you share it.
    """
    here = open_device(device)
    settings = Settings(
        group=group_of(here, group),
        title=title,
        task=task,
        instruction=instruction or None,
        display=display,
        waits=wait,
    )

    def report(state: State, recording: str | None) -> None:
        said = f"{state} {recording}" if recording else state
        emit({"state": state, "recording": recording}, said, as_json=json)
        sys.stdout.flush()  # a program that waits for this line reads it from a pipe
        if not json:
            remark("stop with Ctrl-C or `understudy recorder stop`; the window in the corner pauses")

    def done(summary: Summary) -> None:
        if summary.recordings:
            _summarise(summary, as_json=json)

    run(here, connect(server), settings, report=report, done=done)


def _summarise(summary: Summary, *, as_json: bool) -> None:
    """Print what was done, also where the session ended by an error."""
    figures, tally = figures_of(summary), summary.tally
    emit(
        figures,
        f"stopped: {len(summary.recordings)} recording(s), {tally.events} events, {tally.actions} actions\n"
        f"{tally.pointer_before} of {tally.pointer_actions} pointer actions with the state from before\n"
        f"{tally.segments} segment(s) held, {tally.spans} span(s) redacted\n"
        f"{figures['cpu_seconds']} s of processor, {figures['cpu_percent']} % of one\n"
        "next: understudy review list",
        as_json=as_json,
    )
