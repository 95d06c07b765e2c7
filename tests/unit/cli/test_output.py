"""What commands write beside their output."""

from pathlib import Path

import pytest

from understudy.cli.output import write_clear


def test_what_is_in_clear_is_its_owners_alone_also_over_a_file_that_others_could_read(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"something longer")
    sheet.chmod(0o644)
    write_clear(sheet, b"new")
    assert (sheet.read_bytes(), sheet.stat().st_mode & 0o777) == (b"new", 0o600)


def test_nothing_in_clear_is_written_through_a_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"")
    (tmp_path / "sheet.png").symlink_to(other)
    with pytest.raises(OSError, match="symbolic"):
        write_clear(tmp_path / "sheet.png", b"content")
    assert other.read_bytes() == b""
