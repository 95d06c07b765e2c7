"""The recorder put together: the real parts on one device, and what a run of it cost.

Rules

* A group is recorded only if the person consented to it and the programme still has it.
* Raw files lie in the device's own folder, under a key that this process makes and forgets.
* Processor time is that of this process and of the children it has waited for: session, capture, indicator.

Example::

    run(device, server, Settings(group=group_of(device, "web")), done=print)
"""

import asyncio
import resource
from collections.abc import Callable
from typing import Any

from understudy.consent.clock import Clock, SystemClock
from understudy.consent.errors import RefusedError
from understudy.consent.programme import ApplicationGroup
from understudy.contract.ports import ServerPort
from understudy.recorder.device import Device
from understudy.recorder.process import keep_memory_private
from understudy.recorder.rawfiles import RawFiles
from understudy.recorder.session import Report, Session, Settings, Summary


def compose(
    device: Device,
    server: ServerPort,
    settings: Settings,
    *,
    clock: Clock | None = None,
    raw: Callable[[], RawFiles] | None = None,
    report: Report = lambda _state, _recording: None,
) -> Session:
    """Return a session with everything that it needs; call it inside a running loop.

    Args:
        device: enrolled, with a consent.
        server: gives leases.
        settings: what to record.
        clock: None for the machine's.
        raw: makes the place of the raw files; None for the device's own folder.
        report: told once, when it records or is ready.
    """
    return Session(
        device,
        server,
        clock or SystemClock(),
        settings,
        raw=raw or (lambda: RawFiles(device.home / "raw")),
        report=report,
    )


def run(
    device: Device,
    server: ServerPort,
    settings: Settings,
    *,
    raw: Callable[[], RawFiles] | None = None,
    report: Report = lambda _state, _recording: None,
    done: Callable[[Summary], None],
) -> None:
    """Record until told to stop; ``done`` is told what was done, also where an error ended it.

    Raises: as ``Session.run``.
    """
    keep_memory_private()

    async def record() -> None:
        session = compose(device, server, settings, raw=raw, report=report)
        try:
            await session.run()
        finally:
            done(session.summary)

    asyncio.run(record())


def group_of(device: Device, name: str = "") -> ApplicationGroup:
    """Return an application group that this person consented to; the first one without a name.

    Raises:
        DeviceError: there is no consent yet.
        RefusedError: ``group-not-consented``.
    """
    agreed = device.consent.application_groups
    wanted = name or agreed[0]
    for group in device.document.terms.application_groups:
        if group.name == wanted and wanted in agreed:
            return group
    raise RefusedError(
        "group-not-consented",
        hint=f"consent covers: {', '.join(agreed)}",
        message=f"you have not consented to the application group {wanted}",
    )


def cpu_seconds() -> float:
    """Return the processor time of this process and of its ended children, in seconds."""
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    return spent


def figures_of(summary: Summary) -> dict[str, Any]:
    """Return what a run did and what it cost, as ``understudy record --json`` prints it at its end."""
    cpu, wall = cpu_seconds(), summary.wall_seconds
    tally = summary.tally
    return {
        "state": "stopped",
        "recordings": summary.recordings,
        "events": tally.events,
        "actions": tally.actions,
        "pointer_actions": tally.pointer_actions,
        "pointer_before": tally.pointer_before,
        "segments": tally.segments,
        "frames": tally.frames,
        "spans": tally.spans,
        "cpu_seconds": round(cpu, 2),
        "wall_seconds": round(wall, 2),
        "cpu_percent": round(100 * cpu / wall, 1) if wall else 0.0,
    }
