"""The store search finds what lies open, however it is packed, and nothing in what is sealed."""

import gzip
import io
import secrets
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from understudy.formats.synthetic import synthetic_segment
from understudy.redaction.canaries.store import search_store

CANARY = "qzv7k2mx9w4t"


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", data)
    return file.getvalue()


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        zlib.compress,
        zipped,
        zstandard.compress,
        lambda data: b"head" + zstandard.compress(data) + b"tail",
        lambda data: gzip.compress(b"--" + zstandard.compress(data)),
    ],
    ids=["plain", "gzip", "zlib", "zip", "zstd", "zstd inside", "zstd in gzip"],
)
def test_packing_hides_nothing(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "file").write_bytes(pack(b"words " * 50 + CANARY.encode() + b" words" * 50))
    report = search_store([tmp_path], [CANARY])
    assert (report.found, report.files, report.is_complete) == (1, 1, True)
    assert report.hits[0].canary == 1


def test_an_unsealed_recording_is_found_out(tmp_path: Path) -> None:
    payload = synthetic_segment(
        1, recording="rec_" + "A" * 22, ordinal=0, started_at=0, ended_at=60, canaries=[CANARY]
    )
    assert CANARY.encode() not in payload  # its chunks are compressed
    (tmp_path / "segment").write_bytes(payload)
    assert search_store([tmp_path], [CANARY]).found == 1


def test_a_long_row_of_a_database_is_read_over_its_pages(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE rows (content TEXT)")
        for shift in range(0, 4_200, 7):  # one of them lies across the border between two pages
            database.execute("INSERT INTO rows VALUES (?)", ("x" * (4_000 + shift) + CANARY,))
            database.execute("DELETE FROM rows")
            database.commit()
        database.execute("INSERT INTO rows VALUES (?)", ("x" * 5_000 + CANARY + "x" * 5_000,))
        database.commit()
    assert search_store([tmp_path], [CANARY]).found == 1


def test_names_of_files_and_folders_are_searched(tmp_path: Path) -> None:
    (tmp_path / f"of {CANARY}").mkdir()
    (tmp_path / f"of {CANARY}" / "file").touch()
    assert search_store([tmp_path], [CANARY]).found == 1


def test_random_bytes_hold_none(tmp_path: Path) -> None:
    (tmp_path / "sealed").write_bytes(secrets.token_bytes(300_000))
    report = search_store([tmp_path], [CANARY])
    assert (report.found, report.bytes) == (0, 300_000)


def test_a_missing_folder_is_an_error_and_not_an_empty_result(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        search_store([tmp_path / "gone"], [CANARY])


def test_a_packed_bomb_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(80 << 20)))
    assert search_store([tmp_path], [CANARY]).found == 0
