"""A rotation leaves every key readable under the new shred key only, wherever it is killed."""

import sqlite3
from pathlib import Path

import pytest

from tests.cast import PROGRAMME
from tests.unit.vault.full_disk import full_disk
from understudy.programme.errors import StorageError
from understudy.sealing.canonical import parse
from understudy.sealing.errors import KeyFileError, SealError
from understudy.sealing.shred import ShredKey, WrappedKey
from understudy.sealing.signing import SigningKey
from understudy.vault.keystore import KeyStore
from understudy.vault.shredding import ShredKeyFile

ISSUER = SigningKey.generate()
KEY_SET = "E" * 43
TAGS = tuple(f"{letter}" * 42 + "A" for letter in "ABC")


class KilledError(Exception):
    """The process ends here."""


@pytest.fixture
def file(tmp_path: Path) -> ShredKeyFile:
    file = ShredKeyFile(tmp_path / "keys")
    file.create()
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keystore.db"


def open_store(path: Path, file: ShredKeyFile) -> KeyStore:
    return KeyStore(path, ISSUER, file.load(KeyStore.shred_name_in(path)))


def wrapped(path: Path) -> list[WrappedKey]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("select wrapped from escrow_key").fetchall()
    connection.close()
    return [parse(WrappedKey, row[0]) for row in rows]


def test_after_a_rotation_the_old_key_opens_nothing(path: Path, file: ShredKeyFile, tmp_path: Path) -> None:
    store = open_store(path, file)
    for tag in TAGS:
        store.issue(PROGRAMME, tag, KEY_SET, 7)
    old, backup = file.load(), wrapped(path)
    assert file.rotate(store) == len(TAGS)
    new = file.load()
    assert new.name != old.name
    store.issue(PROGRAMME, "E" * 43, KEY_SET, 8)
    for row in wrapped(path):
        new.unwrap(row)
        with pytest.raises(SealError):
            old.unwrap(row)
    for row in backup:
        with pytest.raises(SealError):
            new.unwrap(row)
    store.close()
    held = b"".join(part.read_bytes() for part in tmp_path.glob("keystore.db*"))
    assert old.name.encode() not in held
    open_store(path, file).close()


@pytest.mark.parametrize("before", ["rewrap", "rename"])
def test_a_killed_rotation_goes_on(
    path: Path, file: ShredKeyFile, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    def die(*_: object) -> None:
        raise KilledError

    store = open_store(path, file)
    escrow = store.issue(PROGRAMME, TAGS[0], KEY_SET, 7)
    old = file.load()
    with monkeypatch.context() as patched:
        patched.setattr(KeyStore, "rewrap", die) if before == "rewrap" else patched.setattr(
            Path, "replace", die
        )
        with pytest.raises(KilledError):
            file.rotate(store)
    store.close()
    store = open_store(path, file)
    assert store.issue(PROGRAMME, TAGS[0], KEY_SET, 9) == escrow
    assert store.shred_name == (old.name if before == "rewrap" else file.load(store.shred_name).name)
    file.rotate(store)
    store.close()
    assert file.load().name != old.name
    assert {row.shred_key for row in wrapped(path)} == {file.load().name}
    open_store(path, file).close()


def test_a_full_disk_leaves_the_old_key_in_place(path: Path, file: ShredKeyFile) -> None:
    store = open_store(path, file)
    store.issue(PROGRAMME, TAGS[0], KEY_SET, 7)
    old = file.load()
    following = ShredKey.generate()
    with full_disk(), pytest.raises(StorageError):
        store.rewrap(following)
    store.close()
    assert open_store(path, file).shred_name == old.name


def test_protection_is_told(tmp_path: Path, file: ShredKeyFile) -> None:
    assert file.protection == "none"
    locked = ShredKeyFile(tmp_path / "locked", passphrase="correct horse")
    made = locked.create()
    assert locked.protection == "passphrase"
    assert locked.load().name == made.name
    with pytest.raises(KeyFileError):
        ShredKeyFile(tmp_path / "locked").load()
    with pytest.raises(KeyFileError):
        locked.create()
