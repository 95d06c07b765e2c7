"""Escrow keys rest wrapped, halves are write-once, and what comes out fits the device's own commitment."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from tests.cast import PROGRAMME
from tests.unit.programme.stage import Person
from tests.unit.vault.full_disk import full_disk
from tests.unit.vault.stage import VaultStage
from understudy.consent.errors import ConflictError
from understudy.consent.keyset import EscrowKey
from understudy.programme.database import open_database, writing
from understudy.programme.errors import StorageError
from understudy.sealing.errors import HalfError
from understudy.sealing.shred import ShredKey
from understudy.sealing.signing import SigningKey
from understudy.vault.errors import RootKeyError, SegmentMissingError, VaultDamagedError
from understudy.vault.keystore import KeyStore

ISSUER = SigningKey.generate()
SHRED = ShredKey.generate()
TAG = "A" * 43
KEY_SET = "E" * 43


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keystore.db"


def test_one_escrow_key_for_each_participant_and_key_set(path: Path) -> None:
    store = KeyStore(path, ISSUER, SHRED)
    first = store.issue(PROGRAMME, TAG, KEY_SET, 7)
    store.close()
    store = KeyStore(path, ISSUER, SHRED)
    assert store.issue(PROGRAMME, TAG, KEY_SET, 8) == first
    second = store.issue(PROGRAMME, TAG, "I" * 43, 9)
    other = store.issue(PROGRAMME, "E" * 43, KEY_SET, 9)
    keys = [signed.verify(EscrowKey, [ISSUER.public]) for signed in (first, second, other)]
    assert [(key.tag, key.epoch, key.made_at) for key in keys] == [(TAG, 1, 7), (TAG, 2, 9), ("E" * 43, 1, 9)]
    assert len({key.public for key in keys}) == 3
    assert store.is_issued(keys[0].escrow_key, TAG, KEY_SET)
    assert not store.is_issued(keys[0].escrow_key, TAG, "I" * 43)
    assert not store.is_issued(keys[0].escrow_key, "E" * 43, KEY_SET)
    assert not store.is_issued("esc_" + "A" * 22, TAG, KEY_SET)


def test_the_file_alone_opens_nothing(path: Path) -> None:
    KeyStore(path, ISSUER, SHRED).issue(PROGRAMME, TAG, KEY_SET, 7)
    with pytest.raises(RootKeyError) as caught:
        KeyStore(path, ISSUER, ShredKey.generate())
    assert caught.value.hint
    assert KeyStore.shred_name_in(path) == SHRED.name


def test_a_store_without_rows_takes_any_shred_key(path: Path) -> None:
    assert KeyStore.shred_name_in(path) is None
    KeyStore(path, ISSUER, ShredKey.generate()).close()
    assert KeyStore(path, ISSUER, SHRED).shred_name is None


@pytest.mark.parametrize("spoil", ["pragma user_version = 2", "pragma user_version = 0"])
def test_another_version_is_refused_and_not_touched(path: Path, spoil: str) -> None:
    KeyStore(path, ISSUER, SHRED).close()
    engine = open_database(path)
    with engine.connect() as connection:
        connection.exec_driver_sql(spoil)
        connection.commit()
    with pytest.raises(VaultDamagedError):
        KeyStore(path, ISSUER, SHRED)


def test_a_half_is_kept_once_and_opened_against_its_header(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    upload, other = stage.seal(anna, consent), stage.seal(anna, consent)
    half = upload.sealed.halves[0]
    with pytest.raises(SegmentMissingError):
        stage.keystore.open_half(upload.header)
    stage.keystore.put_half(upload.header, half)
    stage.keystore.put_half(upload.header, half)
    assert stage.keystore.open_half(upload.header).commitment == upload.header.half("p").commitment
    with pytest.raises(HalfError):
        stage.keystore.put_half(other.header, half)
    swapped = replace(other.header, seal=replace(other.header.seal, segment=upload.segment))
    with pytest.raises(ConflictError):
        stage.keystore.put_half(swapped, other.sealed.halves[0])


def test_a_half_shown_for_another_segment_does_not_open(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    upload, other = stage.seal(anna, consent), stage.seal(anna, consent)
    for one in (upload, other):
        stage.keystore.put_half(one.header, one.sealed.halves[0])
    with writing(open_database(stage.home / "keystore.db")) as session:
        swap = text(
            "update half set sealed = (select sealed from half where segment = :other) where segment = :one"
        )
        session.execute(swap, {"one": upload.segment, "other": other.segment})
    with pytest.raises(HalfError):
        stage.keystore.open_half(upload.header)
    stage.keystore.open_half(other.header)


def test_a_full_disk_keeps_nothing_and_says_so(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    with full_disk(), pytest.raises(StorageError):
        stage.keystore.put_half(upload.header, upload.sealed.halves[0])
    stage.restart()
    with pytest.raises(SegmentMissingError):
        stage.keystore.open_half(upload.header)
    stage.keystore.put_half(upload.header, upload.sealed.halves[0])
    stage.keystore.open_half(upload.header)


def test_opening_writes_nothing(stage: VaultStage, anna: Person, consent: str) -> None:
    uploads = [stage.seal(anna, consent) for _ in range(3)]
    for upload in uploads:
        stage.keystore.put_half(upload.header, upload.sealed.halves[0])
    with full_disk():
        opened = stage.keystore.open_halves([upload.header for upload in uploads])
    assert set(opened) == {upload.segment for upload in uploads}


def test_no_private_key_and_no_half_is_in_the_file(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    stage.keystore.put_half(upload.header, upload.sealed.halves[0])
    raw = bytes(stage.keystore.open_half(upload.header).raw)
    held = b"".join(path.read_bytes() for path in stage.home.glob("keystore.db*"))
    assert raw not in held
    assert stage.shred.raw not in held
