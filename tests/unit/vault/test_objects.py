"""The first bytes under a name stay, are whole, and are nobody else's to read."""

import io
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.vault.full_disk import full_disk
from understudy.programme.errors import StorageError
from understudy.vault.errors import ObjectKeyError, ObjectMissingError, VaultError
from understudy.vault.objects import LocalObjects, check_key


@pytest.fixture
def objects(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "objects")


def put(objects: LocalObjects, key: str, content: bytes) -> bool:
    return objects.put_if_absent(key, io.BytesIO(content))


def test_the_first_bytes_stay(objects: LocalObjects) -> None:
    assert put(objects, "a/b", b"first")
    assert not put(objects, "a/b", b"second")
    assert (objects.read("a/b", 0, 10), objects.size("a/b")) == (b"first", 5)


def test_ranges_end_where_the_object_ends(objects: LocalObjects) -> None:
    put(objects, "a", b"0123456789")
    assert [objects.read("a", *span) for span in ((2, 3), (8, 9), (10, 1), (99, 1), (0, 0))] == [
        b"234",
        b"89",
        b"",
        b"",
        b"",
    ]
    for span in ((-1, 5), (0, -1)):
        with pytest.raises(VaultError):
            objects.read("a", *span)


def test_what_is_not_there_is_missing(objects: LocalObjects) -> None:
    for ask in (lambda: objects.read("a", 0, 1), lambda: objects.size("a")):
        with pytest.raises(ObjectMissingError):
            ask()
    objects.delete("a")
    put(objects, "a", b"x")
    objects.delete("a")
    with pytest.raises(ObjectMissingError):
        objects.size("a")
    assert put(objects, "a", b"again")


def test_names_are_listed_by_prefix(objects: LocalObjects) -> None:
    for key in ("a/1", "a/2", "b/1"):
        put(objects, key, b"x")
    assert sorted(objects.keys("a/")) == ["a/1", "a/2"]
    assert sorted(objects.keys()) == ["a/1", "a/2", "b/1"]


def test_files_and_folders_are_their_owners_alone(objects: LocalObjects, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        put(objects, "a/b/c", b"x")
    finally:
        os.umask(before)
    for path in (tmp_path / "objects").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


BAD = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../a",
    "a/../b",
    "a//b",
    "a/",
    ".tmp-1",
    "a/.b",
    "a\x00",
    "a\n",
    "a b",
    "ä",
]


@pytest.mark.parametrize("key", [*BAD, "a" * 129, "a/b/c/d/e"])
def test_no_name_climbs_out(objects: LocalObjects, key: str) -> None:
    for call in (
        lambda: put(objects, key, b"x"),
        lambda: objects.read(key, 0, 1),
        lambda: objects.size(key),
        lambda: objects.delete(key),
    ):
        with pytest.raises(ObjectKeyError):
            call()


@given(st.text(max_size=60) | st.from_regex(r"[a-z./-]{1,40}", fullmatch=True))
def test_every_name_stays_below_the_root_or_is_refused(key: str) -> None:
    root = Path("/root-of-objects")
    try:
        path = root / check_key(key)
    except ObjectKeyError:
        return
    assert Path(os.path.normpath(path)) == path
    assert root in path.parents


def test_a_link_is_not_followed(objects: LocalObjects, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (tmp_path / "objects" / "a").symlink_to(secret)
    with pytest.raises(StorageError):
        objects.read("a", 0, 6)
    assert not put(objects, "a", b"x")
    assert secret.read_bytes() == b"secret"


def test_a_full_disk_stores_nothing_and_says_so(objects: LocalObjects, tmp_path: Path) -> None:
    with full_disk(after=1000), pytest.raises(StorageError) as caught:
        put(objects, "a", bytes(100_000))
    assert caught.value.hint
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []
    assert put(objects, "a", bytes(100_000))


def test_what_a_crash_left_half_written_is_removed_and_never_listed(tmp_path: Path) -> None:
    root = tmp_path / "objects"
    put(LocalObjects(root), "a/b", b"whole")
    (root / "a" / ".tmp-0123").write_bytes(b"ha")
    assert list(LocalObjects(root).keys()) == ["a/b"]
    assert not list(root.rglob(".tmp-*"))


def test_one_of_many_writers_wins_and_the_others_know(objects: LocalObjects) -> None:
    won: list[bytes] = []

    def write(content: bytes) -> None:
        if put(objects, "a", content):
            won.append(content)

    contents = [bytes([number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert objects.read("a", 0, 100_001) == won[0]
