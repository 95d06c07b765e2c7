"""What the tests of sealing share: fixed keys, a segment sealed once, and the folders of vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings

from understudy.consent.primitives import encode_bytes
from understudy.sealing.half import Half
from understudy.sealing.header import SealContext, SegmentHeader, verify_header
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.segment import SealedSegment, open_half, seal_segment
from understudy.sealing.signing import SigningKey

# A shared machine may stall any single example; the whole test still has its limit.
settings.register_profile("sealing", deadline=None)
settings.load_profile("sealing")

ROOT = Path(__file__).parents[3]
PAYLOAD = Random(11).randbytes(40_000)


def _id(prefix: str, number: int) -> str:
    return f"{prefix}_{encode_bytes(number.to_bytes(16, 'big'))}"


def _seal_context(**changes: object) -> SealContext:
    fields: dict[str, object] = {
        "kind": "recording",
        "programme": _id("prg", 1),
        "tag": encode_bytes(bytes([1] * 32)),
        "recording": _id("rec", 2),
        "segment": _id("seg", 3),
        "consent": encode_bytes(bytes([2] * 32)),
        "key_set": encode_bytes(bytes([3] * 32)),
        "escrow_key": _id("esc", 4),
        "application_group": "office",
        "task_label": "expenses",
    }
    return SealContext(**(fields | changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Sealed:
    """One sealed segment and everybody's keys."""

    device: SigningKey
    escrow: HpkePrivateKey
    custodian: HpkePrivateKey
    bundle: SealedSegment
    header: SegmentHeader
    half_p: Half
    half_c: Half


SealMaker = Callable[..., Sealed]


def _seal(payload: bytes = PAYLOAD, **changes: object) -> Sealed:
    device = SigningKey.from_seed(bytes([7] * 32))
    escrow = HpkePrivateKey.from_seed(bytes([8] * 32))
    custodian = HpkePrivateKey.from_seed(bytes([9] * 32))
    bundle = seal_segment(
        payload,
        _seal_context(**changes),
        previous=None,
        lease_root=encode_bytes(bytes([4] * 32)),
        redaction=encode_bytes(bytes([5] * 32)),
        device=device,
        escrow=escrow.public,
        custodian=custodian.public,
    )
    header = verify_header(bundle.header, {device.public})
    half_p = open_half("p", header, bundle.halves[0], escrow)
    half_c = open_half("c", header, bundle.halves[1], custodian)
    return Sealed(device, escrow, custodian, bundle, header, half_p, half_c)


@pytest.fixture(scope="session")
def seal_context() -> Callable[..., SealContext]:
    """Make a seal context, with changes."""
    return _seal_context


@pytest.fixture(scope="session")
def seal() -> SealMaker:
    """Seal a payload under fixed keys, with changes to the seal context."""
    return _seal


@pytest.fixture(scope="session")
def sealed() -> Sealed:
    """One segment, sealed once for all tests."""
    return _seal()


@pytest.fixture(scope="session")
def wycheproof() -> Path:
    """The folder of Wycheproof vectors beside the project."""
    folder = ROOT.parent / "shared" / "vectors" / "wycheproof"
    if not folder.is_dir():
        pytest.skip("public vectors are not here: no shared/vectors/wycheproof beside the project")
    return folder


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of this package's own vectors."""
    return ROOT / "tests" / "vectors" / "sealing"
