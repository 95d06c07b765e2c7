"""``understudy programme``: the programme document from the steward's side."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from understudy.cli import UNVERIFIED
from understudy.cli.connect import KeyFile, signing_key
from understudy.cli.output import Json, emit, moment, remark
from understudy.cli.parties import DocumentFile, Out, sign_file
from understudy.consent.clock import SystemClock
from understudy.consent.programme import ProgrammeDocument
from understudy.programme.document import read_terms, required_signers
from understudy.programme.rules import delay_problems, signing_keys
from understudy.sealing.canonical import parse
from understudy.sealing.keyfile import create_hpke, create_signing
from understudy.sealing.signing import document_hash
from understudy.web.assembly import assemble as assemble_document
from understudy.web.assembly import read_people
from understudy.web.document import (
    fingerprint,
    read_document,
    sign_as_member,
    unsigned,
    write_document,
)
from understudy.web.document import (
    merge as merge_copies,
)
from understudy.web.home import read_public

app = App(name="programme", help="The programme document: check, show, assemble, sign.")

Terms = Annotated[Path, Parameter(help="The terms file, TOML; docs/formats/programme.md has an example.")]


@app.command
def key(
    path: Annotated[Path, Parameter(help="Where the key file goes; never replaced.")],
    /,
    *,
    openings: Annotated[
        bool, Parameter(negative="", help="The auditor's key that openings are sealed to.")
    ] = False,
    passphrase_file: Annotated[
        Path | None, Parameter(help="A file with the passphrase that protects it.")
    ] = None,
    json: Json = False,
) -> None:
    """Make one person's key, on that person's own machine, and print what the steward writes down."""
    passphrase = None if passphrase_file is None else passphrase_file.read_text().rstrip("\n")
    if passphrase is None:
        remark(f"{path} is not protected by a passphrase; see --passphrase-file")
    if openings:
        public = create_hpke(path, passphrase=passphrase).public.text
    else:
        public = create_signing(path, passphrase=passphrase).public
    emit({"public": public}, public, as_json=json)


@app.command
def check(terms: Terms, *, json: Json = False) -> int:
    """Check a terms file; list what its profile does not allow."""
    written = read_terms(terms.read_text(encoding="utf-8"))
    problems = delay_problems(written.delays, written.profile)
    emit({"problems": problems}, "\n".join(problems) or "no problems", as_json=json)
    return UNVERIFIED if problems else 0


@app.command
def assemble(
    *,
    terms: Terms,
    people: Annotated[Path, Parameter(help="Roster, auditor, recovery and lift keys, TOML.")],
    party: Annotated[
        tuple[Path, ...], Parameter(help="public.json of server, custodians, witnesses; repeat.")
    ],
    out: Annotated[Path, Parameter(help="Where the document begins its round.")],
    custodian_threshold: Annotated[int, Parameter(help="How many custodians a key takes.")] = 2,
    witness_quorum: Annotated[int, Parameter(help="How many witnesses a checkpoint takes.")] = 2,
    json: Json = False,
) -> None:
    """Assemble document 1 from the terms and everybody's public keys. Nobody has signed it yet."""
    document = assemble_document(
        terms.read_text(encoding="utf-8"),
        read_people(people.read_text(encoding="utf-8")),
        [read_public(path) for path in party],
        custodian_threshold=custodian_threshold,
        witness_quorum=witness_quorum,
        made_at=SystemClock().now(),
    )
    write_document(out, unsigned(document))
    found = document_hash(document)
    emit(
        {"document": found, "signers": len(required_signers(document))},
        f"document {fingerprint(found)}\n{len(required_signers(document))} keys have to sign it",
        as_json=json,
    )


@app.command
def sign(document: DocumentFile, *, key: KeyFile, out: Out = None, json: Json = False) -> None:
    """Sign the programme document as a member of its roster."""
    signer = signing_key(key)
    signed = sign_file(document, out, lambda given: sign_as_member(given, [signer]))
    found = signed.hash(ProgrammeDocument)
    emit(
        {"document": found, "signatures": len(signed.signatures)},
        f"signed {fingerprint(found)}",
        as_json=json,
    )


@app.command
def merge(
    copies: Annotated[
        tuple[Path, ...], Parameter(help="Copies of one document, signed by different people.")
    ],
    /,
    *,
    out: Annotated[Path, Parameter(help="Where the document with all signatures goes.")],
    json: Json = False,
) -> None:
    """Put the signatures of several copies of one document together."""
    merged = merge_copies(read_document(path) for path in copies)
    write_document(out, merged)
    emit({"signatures": len(merged.signatures)}, f"{len(merged.signatures)} signatures", as_json=json)


@app.command
def show(document: DocumentFile, *, json: Json = False) -> int:
    """Show a programme document and who has not signed it yet. Ends with 4 while signatures are missing."""
    signed = read_document(document)
    found = parse(ProgrammeDocument, signed.raw)
    if signed.signatures:
        signed.verify(ProgrammeDocument)
    duties = signing_keys(found)
    missing = [duty for signer, duty in duties.items() if signer not in signed.signers]
    shown = {
        "document": signed.hash(ProgrammeDocument),
        "key_set": document_hash(found.key_set),
        "missing": missing,
        "content": msgspec.to_builtins(found),
    }
    lines = [
        f"{found.terms.title}: number {found.number}, profile {found.profile}, {moment(found.made_at)}",
        f"document {fingerprint(signed.hash(ProgrammeDocument))}",
        f"key set  {fingerprint(document_hash(found.key_set))}",
        f"signed by {len(duties) - len(missing)} of {len(duties)}",
        *(f"  not yet: {duty}" for duty in missing),
    ]
    emit(shown, "\n".join(lines), as_json=json)
    return UNVERIFIED if missing else 0
