"""What custodians signed stays on the device: the longest head of each, durably, or an error."""

from pathlib import Path

import pytest

from tests.cast import PROGRAMME, Cast
from understudy.custody.head import Head
from understudy.recorder.errors import DeviceError
from understudy.recorder.heads import SeenHeads
from understudy.sealing.signing import Signed, sign


def head(n: int, custodian: str = "first", epoch: int = 1, commitment: str = "A" * 43) -> Signed:
    value = Head(
        programme=PROGRAMME,
        tag="T" * 42 + "A",
        custodian=custodian,
        epoch=epoch,
        n=n,
        commitment=commitment,
        tree_size=n,
        asked=None,
        time=n,
    )
    return sign(value, Cast().person(custodian))


def test_a_device_that_never_looked_has_seen_nothing(tmp_path: Path) -> None:
    assert SeenHeads(tmp_path).read() == ()
    assert list(tmp_path.iterdir()) == []


def test_the_longest_head_stays_whatever_comes_later(tmp_path: Path) -> None:
    kept = SeenHeads(tmp_path)
    for n in (1, 3, 2):
        kept.keep([head(n)])
    assert SeenHeads(tmp_path).read() == (head(3),)
    newer = head(3, commitment="B" * 42 + "A")
    kept.keep([newer])
    assert kept.read() == (newer,)


def test_each_custodian_and_epoch_has_its_own(tmp_path: Path) -> None:
    kept = SeenHeads(tmp_path)
    kept.keep([head(5), head(2, custodian="second")])
    kept.keep([head(1, epoch=2)])
    assert kept.read() == (head(5), head(1, epoch=2), head(2, custodian="second"))


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    SeenHeads(tmp_path).keep([head(1)])
    assert (tmp_path / "heads.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]x", b'[{"body":"e30","signatures":[]}]', b"\xff", b'["x"]']
)
def test_a_damaged_memory_is_an_error_and_not_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "heads.json").write_bytes(content)
    kept = SeenHeads(tmp_path)
    with pytest.raises(DeviceError, match="cannot be read"):
        kept.read()
    with pytest.raises(DeviceError, match="cannot be read"):
        kept.keep([head(1)])
    assert (tmp_path / "heads.json").read_bytes() == content
