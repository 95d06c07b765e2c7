"""``understudy recorder``: speak to the recorder that runs on this device."""

from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli.connect import DEFAULT_DEVICE, DeviceHome
from understudy.cli.output import Json, emit, short
from understudy.formats.recording.manifest import Outcome
from understudy.recorder.control import Answer, ControlClient

app = App(name="recorder", help="The running recorder: what it does, pause, mark tasks, forget.")


@app.command
def status(*, device: DeviceHome = DEFAULT_DEVICE, json: Json = False) -> None:
    """Show what the recorder does."""
    _show(ControlClient(device).status(), as_json=json)


@app.command
def pause(*, device: DeviceHome = DEFAULT_DEVICE, json: Json = False) -> None:
    """Record nothing until you resume. No limit, no reminder."""
    _show(ControlClient(device).pause(), as_json=json)


@app.command
def resume(*, device: DeviceHome = DEFAULT_DEVICE, json: Json = False) -> None:
    """Go on recording."""
    _show(ControlClient(device).resume(), as_json=json)


@app.command
def stop(*, device: DeviceHome = DEFAULT_DEVICE, json: Json = False) -> None:
    """End the recording and the recorder; what was recorded is held for review."""
    _show(ControlClient(device).stop(), as_json=json)


@app.command
def begin(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    title: Annotated[str | None, Parameter(help="What the recording is called.")] = None,
    task: Annotated[str | None, Parameter(help="Task label.")] = None,
    instruction: Annotated[str | None, Parameter(help="What is to be done, in words.")] = None,
    json: Json = False,
) -> None:
    """Begin a recording of one task; the recorder must be ready."""
    answer = ControlClient(device).begin(title=title, task=task, instruction=instruction)
    _show(answer, as_json=json)


@app.command
def end(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    outcome: Annotated[Outcome, Parameter(help="Whether the task was done.")] = Outcome.UNKNOWN,
    json: Json = False,
) -> None:
    """End the recording; it is held when this returns."""
    _show(ControlClient(device).end(outcome), as_json=json)


@app.command
def forget(
    *,
    minutes: Annotated[int, Parameter(help="How far back.")] = 1,
    device: DeviceHome = DEFAULT_DEVICE,
    json: Json = False,
) -> None:
    """Drop the last minutes of the running recording for good; recording goes on."""
    _show(ControlClient(device).forget(minutes), as_json=json)


def _show(answer: Answer, *, as_json: bool) -> None:
    shown: str = answer.state
    if answer.recording:
        shown += f": {short(answer.recording)}, {answer.actions} action(s), {answer.segments} segment(s)"
    value = {name: getattr(answer, name) for name in ("state", "recording", "segments", "actions", "seconds")}
    emit(value, shown, as_json=as_json)
