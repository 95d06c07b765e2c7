"""A small manifest of a release, and for each code one that breaks that rule."""

from collections.abc import Callable

from msgspec.structs import replace

from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose
from understudy.formats.dataset.errors import DatasetCode
from understudy.formats.dataset.manifest import (
    MAX_LIFE_SECONDS,
    REQUIRED_CHECKS,
    Card,
    Cell,
    DatasetManifest,
    Label,
    LeakCheck,
    Outcome,
    People,
    Recall,
    Shard,
)
from understudy.formats.spelling import spell


def digest(number: int) -> str:
    return encode_bytes(bytes([number]) * 32)


SHARDS = (
    Shard(
        name="shards/00000.parquet",
        rows=64,
        bytes=9_000,
        hash=digest(1),
        opens=(digest(2),),
        sources=digest(3),
    ),
    Shard(
        name="shards/00001.parquet",
        rows=10,
        bytes=2_000,
        hash=digest(4),
        opens=(digest(2), digest(5)),
        sources=digest(6),
    ),
)
CARD = Card(
    title="Synthetic release",
    summary="Shows the form of a card. No person did any of this.",
    limits="Good for nothing but tests.",
    licence="Apache-2.0",
    tasks=(Cell(name="vector", steps=74),),
    application_groups=(Cell(name="synthetic", steps=74),),
    acts=(Cell(name="click", steps=40), Cell(name="type", steps=34)),
    people=People(about=None, k=10),
    recall=(Recall(kind="card-number", planted=100, found=100),),
    checks=tuple(LeakCheck(name=name, outcome=Outcome.PASSED) for name in REQUIRED_CHECKS),
)
MANIFEST = DatasetManifest(
    name="synthetic",
    release="1.0.0",
    programme="prg_AAAAAAAAAAAAAAAAAAAAAA",
    purposes=(Purpose.EVALUATE, Purpose.TRAIN),
    label=Label.SEALED,
    created_at=1_700_000_000,
    expires_at=1_700_000_000 + MAX_LIFE_SECONDS,
    grant=digest(7),
    previous=None,
    recipe=digest(8),
    redaction=(digest(9),),
    steps=74,
    shards=SHARDS,
    card=CARD,
)


def _with(**changed: object) -> bytes:
    return spell(replace(MANIFEST, **changed))


def _with_checks(*checks: LeakCheck) -> bytes:
    return _with(card=replace(CARD, checks=checks))


CASES: dict[DatasetCode, Callable[[], bytes]] = {
    DatasetCode.UNKNOWN_VERSION: lambda: spell(MANIFEST).replace(b'"version":1', b'"version":2'),
    DatasetCode.MALFORMED: lambda: spell(MANIFEST).replace(b'"steps":74,"version"', b'"added":1,"version"'),
    DatasetCode.BAD_LIFE: lambda: _with(expires_at=1_700_000_001 + MAX_LIFE_SECONDS),
    DatasetCode.NOT_SORTED: lambda: _with(purposes=(Purpose.TRAIN, Purpose.EVALUATE)),
    DatasetCode.SHARD_NAMES: lambda: _with(shards=SHARDS[::-1]),
    DatasetCode.COUNT_MISMATCH: lambda: _with(steps=75),
    DatasetCode.NOT_OFFERED: lambda: _with(purposes=(Purpose.EVIDENCE,)),
    DatasetCode.MISSING_CHECK: lambda: _with_checks(*CARD.checks[1:]),
    DatasetCode.FAILED_CHECK: lambda: _with_checks(
        replace(CARD.checks[0], outcome=Outcome.FAILED), *CARD.checks[1:]
    ),
}
"""For each code that few bytes can cause, a manifest that breaks that rule and no other."""
