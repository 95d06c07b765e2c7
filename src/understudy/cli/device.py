"""``understudy device``: set up a participant's device, enrol, consent, pause, withdraw."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli.connect import (
    DEFAULT_CUSTODIAN,
    DEFAULT_DEVICE,
    DEFAULT_SERVER,
    PASSPHRASE_FILE,
    CustodianUrl,
    DeviceHome,
    ServerUrl,
    connect,
    connect_custodian,
    open_device,
    read_passphrase,
)
from understudy.cli.output import Json, emit, remark, short
from understudy.consent.clock import SystemClock
from understudy.consent.consent import Consent, StandingState
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Purpose, Stream
from understudy.recorder.device import Device
from understudy.sealing.personal import PersonalSeed

app = App(name="device", help="A participant's device: keys, enrolment, consent, pause.")

DEFAULT_STREAMS = (Stream.INPUT, Stream.ELEMENTS, Stream.FRAMES, Stream.TEXT_VALUES)


@app.command
def create(
    *,
    pin: Annotated[
        str,
        Parameter(
            help="Hash of the programme document, as the custodian shows it.", allow_leading_hyphen=True
        ),
    ],
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    recovery_code: Annotated[
        Path | None, Parameter(help="File with the recovery code of an earlier device.")
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        Parameter(
            env_var=PASSPHRASE_FILE,
            help="File with the passphrase that encrypts this device's keys; it is asked for ever after.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make this device's keys and pin the programme.

    The hash comes from the custodian, by another way than the server: `understudy custodian show`.
    """
    seed = None
    if recovery_code is not None:
        seed = PersonalSeed.from_recovery_code(recovery_code.read_text().strip())
    passphrase = None if passphrase_file is None else read_passphrase(passphrase_file)
    made = Device.create(device, connect(server).document(), pinned=pin, seed=seed, passphrase=passphrase)
    if passphrase is None:
        remark(
            "this device's keys are unprotected: whoever copies the folder"
            f" {device} reads what is held in it, and is you"
        )
        remark("hint: make a device with --passphrase-file FILE, and keep FILE on another disk")
    else:
        remark(f"from now on {PASSPHRASE_FILE} has to name the file with this passphrase")
    emit(
        {"tag": made.tag, "programme": made.document.programme, "key_set": made.key_set_hash},
        f"device set up for programme {made.document.programme} ({made.document.terms.title})\n"
        f"your tag: {made.tag}\nnext: understudy device enrol, then understudy device consent",
        as_json=json,
    )


@app.command
def enrol(
    *, device: DeviceHome = DEFAULT_DEVICE, server: ServerUrl = DEFAULT_SERVER, json: Json = False
) -> None:
    """Register this device; the custodian's signed receipt is kept here."""
    here = open_device(device)
    here.enrol(connect(server), SystemClock())
    emit({"tag": here.tag, "enrolled": True}, f"enrolled as {short(here.tag)}", as_json=json)


@app.command
def notice(*, device: DeviceHome = DEFAULT_DEVICE) -> None:
    """Show what this programme asks: the notice, the purposes, and what would be recorded."""
    terms = open_device(device).document.terms
    lines = [terms.title, "", terms.notice, "", f"contact: {terms.contact}"]
    lines += ["", "purposes: " + ", ".join(terms.purposes), "streams: " + ", ".join(terms.streams)]
    for group in terms.application_groups:
        named = ", ".join((*group.applications, *group.sites))
        lines.append(f"application group {group.name}: {named}")
    lines.append(f"kept for {terms.retention_days} days")
    emit(terms, "\n".join(lines), as_json=False)


@app.command
def consent(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    purpose: Annotated[tuple[Purpose, ...], Parameter(help="What your recordings may be used for; repeat.")],
    stream: Annotated[tuple[Stream, ...], Parameter(help="What may be recorded; repeat.")] = DEFAULT_STREAMS,
    group: Annotated[tuple[str, ...], Parameter(help="Application groups; default: all of the notice.")] = (),
    yes: Annotated[bool, Parameter(negative="", help="I have read the notice and say yes.")] = False,
    json: Json = False,
) -> int:
    """Say yes to the notice. Without --yes nothing is sent: silence is never consent."""
    here = open_device(device)
    groups = group or tuple(item.name for item in here.document.terms.application_groups)
    offered = set(here.document.terms.streams)
    streams = tuple(item for item in stream if item in offered)
    if not yes:
        remark("nothing sent: read `understudy device notice`, then repeat with --yes")
        return 3
    here.give_consent(connect(server), SystemClock(), purposes=purpose, streams=streams, groups=groups)
    given: Consent = here.consent
    emit(
        {"consent": here.consent_hash, "purposes": given.purposes, "streams": given.streams},
        f"consent in force, signed by server and custodian: {short(here.consent_hash)}\n"
        "to take it back: understudy device withdraw",
        as_json=json,
    )
    return 0


@app.command
def status(*, device: DeviceHome = DEFAULT_DEVICE, json: Json = False) -> None:
    """Show what this device holds and what it agreed to."""
    here = open_device(device)
    document: ProgrammeDocument = here.document
    emit(
        {"tag": here.tag, "programme": document.programme, "document": here.document_hash},
        f"programme {document.programme}, document {document.number} ({here.document_hash})\n"
        f"key set {here.key_set_hash}\ntag {here.tag}",
        as_json=json,
    )


@app.command
def code(*, device: DeviceHome = DEFAULT_DEVICE) -> None:
    """Print the recovery code. Whoever has it is you: write it down, keep it from this machine."""
    remark("whoever has this code is you; do not store it on this machine")
    emit(None, open_device(device).personal.recovery_code(), as_json=False)


@app.command
def pause(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    custodian: CustodianUrl = (DEFAULT_CUSTODIAN,),
    json: Json = False,
) -> None:
    """Stop others from opening your recordings, and capture, until you resume. No reason, no limit."""
    _stand(device, server, custodian, StandingState.PAUSED, as_json=json)


@app.command
def resume(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    custodian: CustodianUrl = (DEFAULT_CUSTODIAN,),
    json: Json = False,
) -> None:
    """End a pause or an objection."""
    _stand(device, server, custodian, StandingState.ACTIVE, as_json=json)


@app.command
def withdraw(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    custodian: CustodianUrl = (DEFAULT_CUSTODIAN,),
    json: Json = False,
) -> None:
    """Take your consent back. One step, at once, no reason asked."""
    _stand(device, server, custodian, StandingState.WITHDRAWN, as_json=json)


@app.command(name="object")
def object_(
    *,
    device: DeviceHome = DEFAULT_DEVICE,
    server: ServerUrl = DEFAULT_SERVER,
    custodian: CustodianUrl = (DEFAULT_CUSTODIAN,),
    json: Json = False,
) -> None:
    """Object to the use of your recordings. No reason needed, nobody approves it."""
    _stand(device, server, custodian, StandingState.OBJECTING, as_json=json)


def _stand(
    device: Path, server: str, custodians: tuple[str, ...], state: StandingState, *, as_json: bool
) -> None:
    here = open_device(device)
    asked = [connect_custodian(address) for address in custodians]
    stood = here.stand(connect(server), asked, SystemClock(), state)
    who = [f"custodian {name} (its signed receipt is kept here)" for name in stood.custodians]
    if stood.server:
        who.append("the server")
    for problem in stood.problems:
        remark(f"not confirmed by {problem}")
    emit(
        {
            "tag": here.tag,
            "state": state,
            "number": stood.number,
            "confirmed": [*stood.custodians, *(["server"] if stood.server else [])],
        },
        f"now {state}, confirmed by {' and '.join(who)}; it took effect at once",
        as_json=as_json,
    )
