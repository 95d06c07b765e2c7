"""``understudy canary``: make planted strings, and look for them where none may be."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from understudy.cli import UNVERIFIED
from understudy.cli.output import Json, emit, remark
from understudy.redaction.canaries.content import ContentReport, search_content
from understudy.redaction.canaries.pixels import Template, template
from understudy.redaction.canaries.planted import read_canaries
from understudy.redaction.canaries.store import StoreReport, search_store

app = App(name="canary", help="Planted strings: make them, look for them.")

LETTERS: Final = "bcdfghjkmnpqrstvwxz23456789"
FACES: Final = (
    "13.3333px Arial",
    "16px Arial",
    "14px Arial",
    "12px Arial",
    "bold 16px Arial",
    "bold 14px Arial",
)
"""How the pages of the demonstration write."""


@app.command
def make(
    file: Annotated[Path, Parameter(help="Where to write them, one a line.")],
    *,
    count: Annotated[int, Parameter(help="How many.")] = 8,
    json: Json = False,
) -> None:
    """Write fresh random canaries. Plant each where it must not come out again."""
    made = ["".join(secrets.choice(LETTERS) for _ in range(16)) for _ in range(count)]
    read_canaries("\n".join(made))
    with file.open("x") as written:
        written.write("".join(f"{line}\n" for line in made))
    emit({"file": file, "canaries": count}, f"{count} canaries in {file}", as_json=json)


@app.command
def search(
    *,
    canaries: Annotated[Path, Parameter(help="The planted strings, one a line.")],
    store: Annotated[tuple[Path, ...], Parameter(help="Folder to search as bytes; may be repeated.")] = (),
    content: Annotated[
        tuple[Path, ...], Parameter(help="Folder of opened recordings to search as content; may be repeated.")
    ] = (),
    passwords: Annotated[
        Path | None, Parameter(help="Secrets of which not even four characters may be found, one a line.")
    ] = None,
    pixels: Annotated[
        bool, Parameter(help="Also look for the rendered canaries in frames (needs Chromium).")
    ] = True,
    face: Annotated[tuple[str, ...], Parameter(help="CSS font to render with; may be repeated.")] = FACES,
    control: Annotated[
        bool, Parameter(negative="", help="A control: succeed only if every canary is found in each search.")
    ] = False,
    json: Json = False,
) -> int:
    """Look for canaries. Exit 4 if one is found, or with --control if one is not.

    A search that finds nothing proves nothing by itself: run it once more over the same content before it was
    redacted and sealed, with --control.
    """
    planted = read_canaries(canaries.read_text())
    secret = read_canaries(passwords.read_text(), shortest=4) if passwords else ()
    stored = search_store(store, planted) if store else None
    read = None
    if content:
        templates = _templates(planted, face) if pixels else ()
        read = search_content(content, planted, templates=templates, passwords=secret)
    reports = [report for report in (stored, read) if report is not None]
    if not reports:
        remark("nothing was searched: name folders with --store or --content")
        return 2
    if control:
        is_good = all(report.found == report.planted for report in reports)
    else:
        is_good = not any(report.found or not report.is_complete for report in reports)
        is_good = is_good and not (read and read.password_hits)
    emit(
        {"store": _facts(stored), "content": _facts(read), "ok": is_good}, _shown(stored, read), as_json=json
    )
    return 0 if is_good else UNVERIFIED


def _templates(planted: Sequence[str], faces: Sequence[str]) -> tuple[Template, ...]:
    """Return every canary as the browser draws it, in every face."""
    from understudy.learning.browser.chromium import Chromium  # noqa: PLC0415 - only where pixels are asked for
    from understudy.learning.browser.rendering import render  # noqa: PLC0415 - the same

    with Chromium(headless=True, announce=lambda _: None) as browser:
        return tuple(
            template(number, *pictures)
            for face in faces
            for number, pictures in enumerate(render(browser.page, planted, face=face), 1)
        )


def _facts(report: StoreReport | ContentReport | None) -> dict[str, object] | None:
    if report is None:
        return None
    more: dict[str, object] = {}
    match report:
        case StoreReport():
            more = {"files": report.files, "bytes": report.bytes}
        case ContentReport():
            more = {
                "recordings": report.recordings,
                "other_files": report.other_files,
                "strings": report.strings,
                "frames": report.frames,
                "found_in_frames": report.found_in_frames,
                "password_hits": report.password_hits,
            }
    facts = {"planted": report.planted, "found": report.found, "hits": report.hits, "unread": report.unread}
    return {**facts, **more}


def _shown(stored: StoreReport | None, read: ContentReport | None) -> str:
    lines = []
    if stored is not None:
        lines.append(
            f"store: {stored.found} of {stored.planted} found in {stored.files:,} files, "
            f"{stored.bytes:,} bytes"
        )
        lines += [f"  canary {hit.canary} as {hit.spelling} in {hit.path}" for hit in stored.hits]
        lines += [f"  could not be read: {path}" for path in stored.unread]
    if read is not None:
        lines.append(
            f"content: {read.found} of {read.planted} found in {read.recordings:,} recordings, "
            f"{read.strings:,} texts, {read.frames:,} frames ({read.found_in_frames} in pixels)"
        )
        lines += [f"  canary {hit.canary} in a {hit.part} of {hit.path}" for hit in read.hits]
        lines += [
            f"  part of secret {hit.canary} in a {hit.part} of {hit.path}" for hit in read.password_hits
        ]
        lines += [f"  could not be read: {path}" for path in read.unread]
    return "\n".join(lines)
