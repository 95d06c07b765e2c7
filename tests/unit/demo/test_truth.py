"""The truth log holds what was written, for its owner alone, also where a person was killed."""

from pathlib import Path

import pytest

from understudy.demo.truth import (
    EpisodeBegan,
    EpisodeEnded,
    SecureSpan,
    TruthAction,
    TruthError,
    TruthLog,
    TruthTarget,
    read_truth,
)
from understudy.formats.elements import Box
from understudy.formats.recording.manifest import Outcome

BEGAN = EpisodeBegan(at=1, task="enter-text", seed=7, instruction="Type it.", recording=None)
TARGET = TruthTarget(tag="input", id="tt", label="Name", box=Box(1, 2, 30, 4), kin=("p",))
TYPED = TruthAction(act="type", target=TARGET, began=2, ended=3, text="жук")
SECRET = TruthAction(act="fill_secret", target=TARGET, began=4, ended=5, text="s3cret", secure=True)
SPAN = SecureSpan(began=4, ended=5)
ENDED = EpisodeEnded(at=6, outcome=Outcome.SUCCEEDED, reward=1.0)


def written(path: Path, *lines: EpisodeBegan | TruthAction | SecureSpan | EpisodeEnded) -> Path:
    with TruthLog(path) as log:
        for line in lines:
            log.write(line)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path / "truth", BEGAN, TYPED, SECRET, SPAN, ENDED, BEGAN, ENDED)
    first, second = read_truth(path)
    assert (first.began, first.ended, first.actions, first.secure) == (BEGAN, ENDED, (TYPED, SECRET), (SPAN,))
    assert first.outcome is Outcome.SUCCEEDED
    assert second.actions == ()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    assert written(tmp_path / "truth", BEGAN).stat().st_mode & 0o777 == 0o600


def test_a_log_goes_on_where_it_stopped(tmp_path: Path) -> None:
    written(tmp_path / "truth", BEGAN, ENDED)
    assert len(read_truth(written(tmp_path / "truth", BEGAN, TYPED))) == 2


def test_an_episode_whose_end_is_missing_is_unknown(tmp_path: Path) -> None:
    first, second = read_truth(written(tmp_path / "truth", BEGAN, TYPED, BEGAN, TYPED))
    assert (first.outcome, second.outcome) == (Outcome.UNKNOWN, Outcome.UNKNOWN)
    assert first.actions == second.actions == (TYPED,)


def test_a_line_outside_an_episode_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TruthError):
        read_truth(written(tmp_path / "truth", TYPED))


@pytest.mark.parametrize("line", [b"{}", b"nonsense", b'{"type":"action","act":"click"}', b"\xff\xfe"])
def test_a_line_that_is_none_is_an_error_without_its_text(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "truth"
    path.write_bytes(line + b"\n")
    with pytest.raises(TruthError, match="line 1") as raised:
        read_truth(path)
    assert "nonsense" not in str(raised.value)
