"""A key on disk is for its owner's eyes only, and is what it says."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.consent.primitives import encode_bytes
from understudy.sealing import keyfile
from understudy.sealing.errors import KeyFileError
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.keyfile import (
    OWN_FOLDER,
    create_hpke,
    create_personal,
    create_shred,
    create_signing,
    load_hpke,
    load_personal,
    load_shred,
    load_signing,
    protection_of,
)
from understudy.sealing.personal import PersonalSeed
from understudy.sealing.shred import ShredKey
from understudy.sealing.signing import SigningKey

KINDS: list[tuple[Callable[..., Any], Callable[..., Any], Callable[[Any], bytes]]] = [
    (create_signing, load_signing, lambda key: key.seed),
    (create_hpke, load_hpke, lambda key: key.seed),
    (create_personal, load_personal, lambda key: key.raw),
    (create_shred, load_shred, lambda key: key.raw),
]
IDS = ["signing", "hpke", "personal", "shred"]


@pytest.mark.parametrize(("create", "load", "secret"), KINDS, ids=IDS)
def test_every_kind_of_key_comes_back(
    tmp_path: Path, create: Callable[..., Any], load: Callable[..., Any], secret: Callable[[Any], bytes]
) -> None:
    path = tmp_path / "keys" / "one.key"
    made = create(path)
    assert secret(load(path)) == secret(made)
    assert path.stat().st_mode & 0o7777 == 0o600
    assert path.parent.stat().st_mode & 0o7777 == 0o700
    assert protection_of(path) == "none"
    assert '"protection":"none"' in path.read_text()


def test_a_given_key_is_kept(tmp_path: Path) -> None:
    keys: list[tuple[Callable[..., Any], Callable[..., Any], object]] = [
        (create_signing, load_signing, SigningKey.generate()),
        (create_hpke, load_hpke, HpkePrivateKey.generate()),
        (create_personal, load_personal, PersonalSeed.generate()),
        (create_shred, load_shred, ShredKey.generate()),
    ]
    for create, load, key in keys:
        path = tmp_path / create.__name__
        assert create(path, key=key) is key
        assert repr(load(path)) == repr(key)


def test_a_passphrase_protects_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "one.key"
    made = create_signing(path, passphrase="correct horse é")
    assert encode_bytes(made.seed) not in path.read_text()
    assert protection_of(path) == "passphrase"
    assert load_signing(path, passphrase="correct horse e\u0301").seed == made.seed
    with pytest.raises(KeyFileError, match="does not open"):
        load_signing(path, passphrase="correct horse e")
    with pytest.raises(KeyFileError, match="needs its passphrase"):
        load_signing(path)
    with pytest.raises(KeyFileError, match="empty"):
        load_signing(path, passphrase="")


def test_an_empty_passphrase_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="empty"):
        create_signing(tmp_path / "one.key", passphrase="")
    assert list(tmp_path.iterdir()) == []


def test_an_edited_locked_file_does_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyfile, "SCRYPT_N", 2)  # stretching is not what is tested here
    path = tmp_path / "one.key"
    create_signing(path, passphrase="word")
    good = json.loads(path.read_text())
    for change in (
        {"public": encode_bytes(bytes(32))},
        {"secret": good["secret"] | {"salt": encode_bytes(bytes(16))}},
        {"secret": good["secret"] | {"box": good["secret"]["box"] | {"nonce": encode_bytes(bytes(12))}}},
    ):
        path.write_bytes(json.dumps(good | change, sort_keys=True, separators=(",", ":")).encode())
        with pytest.raises(KeyFileError):
            load_signing(path, passphrase="word")


def test_a_key_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "one.key"
    made = create_signing(path)
    with pytest.raises(KeyFileError, match="exists already"):
        create_signing(path)
    assert load_signing(path).seed == made.seed


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o610])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "one.key"
    create_signing(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="open to other users") as caught:
        load_signing(path)
    assert caught.value.hint == f"chmod 600 {path}"
    with pytest.raises(KeyFileError):
        protection_of(path)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o777])
def test_a_folder_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "keys"
    create_signing(folder / "one.key")
    folder.chmod(mode)
    with pytest.raises(KeyFileError) as caught:
        load_signing(folder / "one.key")
    # Not "chmod 700 FOLDER": the folder may be one that others need.
    assert caught.value.hint == OWN_FOLDER
    with pytest.raises(KeyFileError):
        create_signing(folder / "two.key")


def test_links_folders_and_pipes_are_no_key_files(tmp_path: Path) -> None:
    create_signing(tmp_path / "one.key")
    (tmp_path / "link").symlink_to(tmp_path / "one.key")
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "folder", "pipe", "missing"):
        with pytest.raises(KeyFileError):
            load_signing(tmp_path / name)


def test_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_signing(tmp_path / "one.key")
    monkeypatch.setattr(os, "geteuid", lambda: 4_242)
    with pytest.raises(KeyFileError, match="another user"):
        load_signing(tmp_path / "one.key")


def test_one_kind_of_key_is_not_taken_for_another(tmp_path: Path) -> None:
    for create, _, _ in KINDS:
        path = tmp_path / create.__name__
        create(path)
        for other, load, _ in KINDS:
            if other is not create:
                with pytest.raises(KeyFileError, match="kind"):
                    load(path)


def test_a_public_key_that_is_not_the_secrets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.key"
    create_signing(path)
    content = json.loads(path.read_text()) | {"public": encode_bytes(bytes(32))}
    path.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))
    with pytest.raises(KeyFileError, match="public"):
        load_signing(path)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_a_typed_error(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "one.key"
    path.unlink(missing_ok=True)
    made = create_signing(path)
    raw = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    cut = data.draw(st.integers(0, len(raw) - 1))
    for damaged in (bytes(raw), bytes(raw[:cut]), bytes(raw) + b"\n" + bytes(10_000)):
        path.write_bytes(damaged)
        with pytest.raises(KeyFileError) as caught:
            load_signing(path)
        assert encode_bytes(made.seed) not in str(caught.value)


def test_a_missing_file_is_what_is_reported_wherever_it_was_looked_for(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(KeyFileError, match="there is no key file"):
        load_signing(tmp_path / "none.key")
