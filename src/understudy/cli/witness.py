"""``understudy witness``: set up a witness, sign and pin the programme document, and run it."""

from typing import Annotated

from cyclopts import App, Parameter

from understudy.cli.output import Json, emit, remark
from understudy.cli.parties import (
    DocumentFile,
    Hash,
    Home,
    Host,
    Out,
    Parent,
    Port,
    announce_keys,
    public_lines,
    serve_party,
    sign_file,
)
from understudy.consent.clock import SystemClock
from understudy.consent.programme import ProgrammeDocument
from understudy.web.config import WITNESS_PORT, WitnessConfig, read_config
from understudy.web.document import fingerprint, read_document
from understudy.web.home import make_witness
from understudy.web.pinning import pin_witness, sign_witness

app = App(name="witness", help="The witness: set up, pin, and run it alone.")


@app.command
def init(
    *,
    home: Home,
    name: Annotated[str, Parameter(help="Name of its key, for ever: like example.org/witness.")],
    port: Annotated[int, Parameter(help="Where it will listen.")] = WITNESS_PORT,
    json: Json = False,
) -> None:
    """Make the witness's keys and its empty memory; public.json is for the steward."""
    made = make_witness(home, WitnessConfig(name=name, port=port))
    announce_keys(home)
    emit(made, f"{public_lines(made)}\npublic keys are in {home / 'public.json'}", as_json=json)


@app.command
def sign(document: DocumentFile, *, home: Home, out: Out = None, json: Json = False) -> None:
    """Sign the programme document, if it names this witness's own keys and holds to its rules."""
    signed = sign_file(document, out, lambda given: sign_witness(home, given))
    found = signed.hash(ProgrammeDocument)
    emit(
        {"document": found, "signatures": len(signed.signatures)},
        f"signed {fingerprint(found)}",
        as_json=json,
    )


@app.command
def pin(document: DocumentFile, *, home: Home, hash_: Hash, json: Json = False) -> None:
    """Follow the log of this document from now on. Every party has to have signed it."""
    found = pin_witness(home, read_document(document), hash_)
    emit({"document": found}, f"pinned {fingerprint(found)}", as_json=json)


@app.command
def serve(*, home: Home, host: Host = None, port: Port = None, parent: Parent = None) -> None:
    """Cosign checkpoints of the pinned log until told to stop."""
    from understudy.web.witness_app import open_witness  # noqa: PLC0415  only a process that serves loads a server

    config = read_config(home, WitnessConfig)
    serve_party(home, config, lambda: open_witness(home, SystemClock()), host=host, port=port, parent=parent)
    remark("the witness has ended")
