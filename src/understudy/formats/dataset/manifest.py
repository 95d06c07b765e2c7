"""The manifest of a release: what it holds, where it came from, what was measured of it.

Rules

* No field names or numbers a participant. Lineage is leaf hashes of openings and Merkle roots of sources.
* No floats: figures are counts or thousandths. Figures about people were noised before they got here.
* Its hash is what grants pin and runs register; changing a byte is another release.

Fields: ``docs/formats/dataset.md``, sections 3 and 4.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Count, Digest, Line, Name, ProgrammeId, Text, Time, Value
from understudy.consent.purposes import Purpose
from understudy.sealing.signing import Document

MAX_MANIFEST_BYTES: Final = 16 << 20
MAX_SHARDS: Final = 20_000
MAX_OPENS: Final = 1_000
MAX_ROWS: Final = 100_000
MAX_SHARD_BYTES: Final = 1 << 30
MAX_LIFE_SECONDS: Final = 30 * 86_400
ROW_GROUP_ROWS: Final = 32
"""Rows of a Parquet row group: random reads are twelve times faster than with default groups."""

REQUIRED_CHECKS: Final = ("canary-exposure", "co-reference", "membership", "secret-scan", "state-leak")
"""Leak checks without which there is no release."""


class Label(StrEnum):
    """Whether the promise of the door still holds for it."""

    SEALED = "sealed"
    RELEASED_CLEAR = "released-clear"


class Outcome(StrEnum):
    """What a leak check said."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not-run"


class Shard(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Parquet file, of one participant, and where it came from."""

    name: Annotated[str, Meta(pattern=r"^shards/[0-9]{5}\.parquet$(?!\n)")]
    rows: Annotated[int, Meta(ge=1, le=MAX_ROWS)]
    bytes: Annotated[int, Meta(ge=1, le=MAX_SHARD_BYTES)]
    hash: Digest
    opens: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=MAX_OPENS)]
    sources: Digest


class Cell(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steps of one task, application group or act."""

    name: Name
    steps: Count


Cells = Annotated[tuple[Cell, ...], Meta(max_length=1_000)]


class People(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """About how many people; null below ``k``."""

    about: Count | None
    k: Annotated[int, Meta(ge=2, le=1_000_000)]


class Recall(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of ``planted`` texts of a kind, redaction found ``found``."""

    kind: Name
    planted: Count
    found: Count


class LeakCheck(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One leak check, and its figure in thousandths where it has one."""

    name: Name
    outcome: Outcome
    permille: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | None = None


class Card(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person should know before using the release."""

    title: Line
    summary: Text
    limits: Text
    licence: Line
    tasks: Cells
    application_groups: Cells
    acts: Cells
    people: People
    recall: Annotated[tuple[Recall, ...], Meta(max_length=200)]
    checks: Annotated[tuple[LeakCheck, ...], Meta(max_length=100)]


class DatasetManifest(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a release says about itself."""

    CONTEXT: ClassVar[Context] = Context.DATASET_MANIFEST

    name: Name
    release: Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}$(?!\n)")]
    programme: ProgrammeId
    purposes: Annotated[tuple[Purpose, ...], Meta(min_length=1, max_length=32)]
    label: Label
    created_at: Time
    expires_at: Time
    grant: Digest
    previous: Digest | None
    recipe: Digest
    redaction: Annotated[tuple[Digest, ...], Meta(max_length=100)]
    steps: Count
    shards: Annotated[tuple[Shard, ...], Meta(min_length=1, max_length=MAX_SHARDS)]
    card: Card
    kind: Literal["dataset"] = "dataset"
    version: Literal[1] = 1
