"""Checks the manifest of a release and lists every rule that it breaks.

Rules

* Never raises on bad input.
* A manifest that is not canonical is not judged further: its hash would mean nothing.

Example

>>> check(b"{}").codes
frozenset({'malformed'})
"""

from collections.abc import Iterator

import msgspec

from understudy.consent.purposes import OFFERED
from understudy.formats.dataset.errors import DatasetCode, DatasetError
from understudy.formats.dataset.manifest import (
    MAX_LIFE_SECONDS,
    MAX_MANIFEST_BYTES,
    REQUIRED_CHECKS,
    Card,
    DatasetManifest,
    Outcome,
)
from understudy.formats.elements import is_sorted_set
from understudy.formats.report import MAX_PROBLEMS, Problem, Report
from understudy.formats.spelling import read
from understudy.sealing.errors import FormatError

VERSION = 1

Finding = tuple[DatasetCode, str]


class _Versioned(msgspec.Struct):
    version: int


def load(raw: bytes) -> DatasetManifest:
    """Return the manifest that ``raw`` canonically spells; ``check`` judges what it says.

    Raises:
        DatasetError: ``too-large``, ``unknown-version`` or ``malformed``.
    """
    if len(raw) > MAX_MANIFEST_BYTES:
        raise DatasetError(DatasetCode.TOO_LARGE, f"a manifest of {len(raw)} bytes")
    try:
        version = msgspec.json.decode(raw, type=_Versioned).version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(DatasetCode.MALFORMED, "not a manifest") from error
    if version != VERSION:
        raise DatasetError(DatasetCode.UNKNOWN_VERSION, f"dataset format version {version}")
    try:
        return read(DatasetManifest, raw)
    except FormatError as error:
        raise DatasetError(DatasetCode.MALFORMED, "not the canonical spelling of a manifest") from error


def check(raw: bytes) -> Report:
    """Return the broken rules of the manifest, at most ``MAX_PROBLEMS``."""
    try:
        manifest = load(raw)
    except DatasetError as error:
        return Report(problems=(Problem(code=error.code.value, message=error.reason),))
    problems = (Problem(code=code.value, message=message) for code, message in manifest_problems(manifest))
    return Report(problems=tuple(problems)[:MAX_PROBLEMS])


def manifest_problems(manifest: DatasetManifest) -> Iterator[Finding]:
    """Yield a (code, message) for each rule between fields that the manifest breaks."""
    if not 0 < manifest.expires_at - manifest.created_at <= MAX_LIFE_SECONDS:
        yield DatasetCode.BAD_LIFE, f"a release lives 1 to {MAX_LIFE_SECONDS} seconds"
    if not OFFERED.issuperset(manifest.purposes):
        yield DatasetCode.NOT_OFFERED, "a purpose that no programme may offer"
    for field, words in _sets(manifest):
        if not is_sorted_set(words):
            yield DatasetCode.NOT_SORTED, field
    names = [f"shards/{number:05d}.parquet" for number in range(len(manifest.shards))]
    if names != [shard.name for shard in manifest.shards]:
        yield DatasetCode.SHARD_NAMES, "shards are not numbered from 00000 without a hole"
    if manifest.steps != sum(shard.rows for shard in manifest.shards):
        yield DatasetCode.COUNT_MISMATCH, "steps are not the sum of the rows of all shards"
    yield from _check_problems(manifest.card)


def _sets(manifest: DatasetManifest) -> Iterator[tuple[str, tuple[str, ...]]]:
    card = manifest.card
    yield "purposes", manifest.purposes
    yield "redaction", manifest.redaction
    for number, shard in enumerate(manifest.shards):
        yield f"opens of shard {number}", shard.opens
    yield "tasks", tuple(cell.name for cell in card.tasks)
    yield "application groups", tuple(cell.name for cell in card.application_groups)
    yield "acts", tuple(cell.name for cell in card.acts)
    yield "recall", tuple(recall.kind for recall in card.recall)
    yield "checks", tuple(check.name for check in card.checks)


def _check_problems(card: Card) -> Iterator[Finding]:
    outcomes = {check.name: check.outcome for check in card.checks}
    for name in REQUIRED_CHECKS:
        outcome = outcomes.get(name, Outcome.NOT_RUN)
        if outcome is Outcome.NOT_RUN:
            yield DatasetCode.MISSING_CHECK, f"the check {name} did not run"
        elif outcome is Outcome.FAILED:
            yield DatasetCode.FAILED_CHECK, f"the check {name} failed"
