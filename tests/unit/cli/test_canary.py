"""``understudy canary``: what it finds, how it ends, and that it says no canary aloud."""

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from understudy.cli import FAILED, OK, UNVERIFIED, USAGE, run
from understudy.formats.synthetic import synthetic_segment

CANARIES = ("qzv7k2mx9w4tbb", "\u0446\u043a\u0449\u0432\u043c\u043d\u0436\u0440\u0445\u043f\u0444\u0431")
PASSWORD = "hV3$kQ9!xT2#"


@pytest.fixture
def canaries(tmp_path: Path) -> Path:
    path = tmp_path / "canaries.txt"
    path.write_text("".join(f"{canary}\n" for canary in CANARIES))
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """Return a folder with nothing planted in it: a file, a packed one, and a recording."""
    folder = tmp_path / "clean"
    folder.mkdir()
    (folder / "note.txt").write_text("nothing of the kind")
    (folder / "packed").write_bytes(zstandard.compress(b"nothing of the kind"))
    (folder / "one.understudy").write_bytes(recording())
    return folder


@pytest.fixture
def leaky(clean: Path) -> Path:
    """Return a folder with every canary in it: one packed, one in a recording."""
    (clean / "packed").write_bytes(zstandard.compress(b"before " + CANARIES[0].encode()))
    (clean / "one.understudy").write_bytes(recording(*CANARIES))
    return clean


def recording(*planted: str) -> bytes:
    return synthetic_segment(
        3,
        recording="rec_" + "A" * 22,
        ordinal=0,
        started_at=1_700_000_000,
        ended_at=1_700_000_002,
        canaries=planted,
    )


class Said:
    """What a run of the command said, and that it named no canary."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> None:
        self.code = run(["canary", "search", *map(str, arguments)])
        told = capsys.readouterr()
        self.out, self.err = told.out, told.err
        for text in (*CANARIES, PASSWORD):
            for place in range(len(text) - 7):
                assert text[place : place + 8] not in told.out + told.err

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.out)
        return facts


class TestStore:
    def test_nothing_found_is_good(
        self, canaries: Path, clean: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = Said(capsys, "--canaries", canaries, "--store", clean)
        assert said.code == OK
        assert "store: 0 of 2 found in 3 files" in said.out

    def test_anything_found_is_exit_4_and_named_by_number_and_place(
        self, canaries: Path, leaky: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = Said(capsys, "--canaries", canaries, "--store", leaky)
        assert said.code == UNVERIFIED
        assert f"canary 1 as utf-8 in {leaky / 'packed'}" in said.out

    def test_a_control_is_good_only_if_all_are_found(
        self, canaries: Path, leaky: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert Said(capsys, "--canaries", canaries, "--store", leaky, "--control").code == OK
        (leaky / "one.understudy").unlink()
        said = Said(capsys, "--canaries", canaries, "--store", leaky, "--control")
        assert said.code == UNVERIFIED
        assert "1 of 2 found" in said.out

    def test_a_canary_in_a_file_name_counts(
        self, canaries: Path, clean: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        (clean / CANARIES[0]).touch()
        code = run(["canary", "search", "--canaries", str(canaries), "--store", str(clean), "--json"])
        assert code == UNVERIFIED
        assert json.loads(capsys.readouterr().out)["store"]["found"] == 1
        assert tmp_path.exists()


class TestContent:
    def test_what_a_recording_holds_is_found(
        self, canaries: Path, leaky: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = Said(capsys, "--canaries", canaries, "--content", leaky, "--no-pixels")
        assert said.code == UNVERIFIED
        assert "content: 2 of 2 found in 1 recordings" in said.out
        assert "canary 1 in a bytes of" in said.out

    def test_four_characters_of_a_secret_are_a_find(
        self, canaries: Path, clean: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        secrets = tmp_path / "passwords.txt"
        secrets.write_text(f"{PASSWORD}\n")
        asked = ("--canaries", canaries, "--content", clean, "--no-pixels", "--passwords", secrets)
        assert Said(capsys, *asked).code == OK
        (clean / "note.txt").write_text(f"typed {PASSWORD[3:7]} and stopped")
        said = Said(capsys, *asked)
        assert said.code == UNVERIFIED
        assert "part of secret 1 in a bytes of" in said.out

    def test_a_recording_that_cannot_be_read_is_no_clean_one(
        self, canaries: Path, clean: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        broken = clean / "one.understudy"
        broken.write_bytes(broken.read_bytes()[:-40])
        said = Said(capsys, "--canaries", canaries, "--content", clean, "--no-pixels")
        assert said.code == UNVERIFIED
        assert f"could not be read: {broken}" in said.out


class TestJson:
    def test_it_has_the_same_shape_whatever_is_found(
        self, canaries: Path, leaky: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        where = ("--store", leaky, "--content", leaky, "--no-pixels")
        facts = Said(capsys, "--canaries", canaries, *where, "--json").facts
        assert set(facts) == {"store", "content", "ok"}
        assert not facts["ok"]
        shared = {"planted", "found", "hits", "unread"}
        assert set(facts["store"]) == shared | {"files", "bytes"}
        more = {"recordings", "other_files", "strings", "frames", "found_in_frames", "password_hits"}
        assert set(facts["content"]) == shared | more
        assert facts["content"]["found"] == facts["store"]["found"] == 2
        assert {"canary", "spelling", "path"} == set(facts["store"]["hits"][0])
        assert {"canary", "part", "path"} == set(facts["content"]["hits"][0])

    def test_a_search_that_was_not_asked_for_is_null(
        self, canaries: Path, clean: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        facts = Said(capsys, "--canaries", canaries, "--store", clean, "--json").facts
        assert (facts["content"], facts["ok"], facts["store"]["found"]) == (None, True, 0)


class TestRefusing:
    @pytest.mark.parametrize("kind", ["--store", "--content"])
    def test_a_folder_that_is_not_there_is_an_error_and_not_a_clean_search(
        self, canaries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
    ) -> None:
        said = Said(capsys, "--canaries", canaries, kind, tmp_path / "nowhere", "--no-pixels")
        assert said.code == FAILED
        assert "there is no such folder" in said.err
        assert str(tmp_path / "nowhere") in said.err
        assert said.out == ""

    def test_without_a_folder_nothing_was_searched(
        self, canaries: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = Said(capsys, "--canaries", canaries)
        assert said.code == USAGE
        assert "nothing was searched" in said.err

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ("", "0 canaries"),
            ("short\n", "canary 1 has 5 characters"),
            ("qzv7k2mx9w4tbb\nqzv7k2mx9w4t\n", "canary 2 is part of another one"),
        ],
    )
    def test_a_list_that_would_prove_nothing_is_refused(
        self, canaries: Path, clean: Path, capsys: pytest.CaptureFixture[str], content: str, why: str
    ) -> None:
        canaries.write_text(content)
        said = Said(capsys, "--canaries", canaries, "--store", clean)
        assert said.code == FAILED
        assert why in said.err

    def test_a_list_that_is_not_there_is_named(
        self, clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        said = Said(capsys, "--canaries", tmp_path / "none.txt", "--store", clean)
        assert said.code == FAILED
        assert "none.txt" in said.err


class TestMaking:
    def test_they_are_fresh_and_good_for_a_search(
        self, tmp_path: Path, clean: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = [tmp_path / name for name in ("one.txt", "two.txt")]
        for path in made:
            assert run(["canary", "make", str(path), "--count", "5"]) == OK
            assert Said(capsys, "--canaries", path, "--store", clean).code == OK
        lines = [path.read_text().splitlines() for path in made]
        assert [len(each) for each in lines] == [5, 5]
        assert not set(lines[0]) & set(lines[1])

    def test_an_existing_file_is_not_overwritten(
        self, canaries: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = canaries.read_text()
        assert run(["canary", "make", str(canaries)]) == FAILED
        assert canaries.read_text() == before
        assert "canaries.txt" in capsys.readouterr().err
