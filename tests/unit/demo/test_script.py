"""The arithmetic of the demonstration: strings to plant, comparisons, the sheet, and what it calls wrong."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.consent.primitives import encode_bytes
from understudy.demo import script as module
from understudy.demo.commands import StageError
from understudy.demo.evidence import Evidence
from understudy.demo.matching import recorded_in
from understudy.demo.participant import Participant
from understudy.demo.script import Demo, Summary
from understudy.demo.summary import CANARY_COUNT, plant_canaries, write_summary
from understudy.demo.truth import (
    EpisodeBegan,
    EpisodeEnded,
    SecureSpan,
    TruthAction,
    TruthLog,
    TruthTarget,
)
from understudy.formats.elements import Box
from understudy.formats.recording.actions import Key, Scroll
from understudy.formats.recording.manifest import Outcome
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.synthetic import synthetic_segment
from understudy.redaction.canaries.planted import read_canaries

FIELD = TruthTarget(tag="input", box=Box(10, 10, 100, 20))


def rec(number: int) -> str:
    return f"rec_{encode_bytes(number.to_bytes(16))}"


def segment(number: int, *, ordinal: int = 0, task: str = "synthetic-form") -> bytes:
    return synthetic_segment(
        number, recording=rec(number), ordinal=ordinal, started_at=1_000, ended_at=1_060, task=task
    )


def done_in(content: bytes) -> list[TruthAction]:
    """Return what a person did of whom a recording tells everything right."""
    done = []
    for each in recorded_in(RecordingReader(io.BytesIO(content))):
        assert each.element is not None
        assert each.element.box is not None
        action = each.action
        done.append(
            TruthAction(
                act=each.act,
                target=TruthTarget(tag=each.element.tag or "", box=each.element.box),
                began=0,
                ended=0,
                key=action.key if isinstance(action, Key) else None,
                modifiers=tuple(map(str, action.modifiers)) if isinstance(action, Key) else (),
                dy=action.dy if isinstance(action, Scroll) else 0,
            )
        )
    return done


class Forged:
    """The folder of a demonstration in which one person did what a test says."""

    def __init__(self, folder: Path) -> None:
        self.person = Participant(1, folder, server="http://127.0.0.1:1")
        self.person.work.mkdir()
        self.evidence = Evidence((self.person,), folder)
        self.evidence.opened.mkdir()

    def did(self, number: int, *actions: TruthAction, spans: int = 0) -> None:
        with TruthLog(self.person.work / "truth.jsonl") as log:
            began = EpisodeBegan(at=0, task="form", seed=number, instruction="", recording=rec(number))
            log.write(began)
            for action in actions:
                log.write(action)
            for at in range(spans):
                log.write(SecureSpan(began=at * 10, ended=at * 10 + 5))
            log.write(EpisodeEnded(at=9, outcome=Outcome.SUCCEEDED))

    def opened(self, name: str, content: bytes) -> None:
        (self.evidence.opened / f"{name}.understudy").write_bytes(content)


@pytest.fixture
def forged(tmp_path: Path) -> Forged:
    return Forged(tmp_path)


class TestPlanting:
    def test_a_seed_gives_the_same_strings_and_another_seed_others(self, tmp_path: Path) -> None:
        lines = []
        for seed in (1, 1, 2):
            plant_canaries(tmp_path / "canaries", seed)
            lines.append(read_canaries((tmp_path / "canaries").read_text()))
        assert lines[0] == lines[1]
        assert not set(lines[0]) & set(lines[2])
        assert len(lines[0]) == CANARY_COUNT

    def test_every_seed_gives_strings_that_prove_something(self, tmp_path: Path) -> None:
        for seed in range(500):
            plant_canaries(tmp_path / "canaries", seed)
            read_canaries((tmp_path / "canaries").read_text())

    def test_a_file_with_blank_lines_plants_what_it_says(self, tmp_path: Path) -> None:
        (tmp_path / "canaries").write_text("\n  qzv7k2mx9w4tbb \n\nvq83hfjz0xkd\n")
        demo = Demo(tmp_path, port=1, seed=1, canaries=tmp_path / "canaries")
        assert demo.planted == ["qzv7k2mx9w4tbb", "vq83hfjz0xkd"]

    def test_a_summary_is_sorted(self, tmp_path: Path) -> None:
        write_summary(tmp_path / "summary.json", {"b": {"d": 1, "c": 2}, "a": 0})
        text = (tmp_path / "summary.json").read_text()
        assert [text.index(f'"{name}"') for name in "abcd"] == sorted(text.index(f'"{n}"') for n in "abcd")
        assert json.loads(text) == {"a": 0, "b": {"c": 2, "d": 1}}


class TestComparing:
    def test_what_was_recorded_right_is_counted_over_all_episodes(self, forged: Forged) -> None:
        contents = [segment(number) for number in (1, 2)]
        done = [done_in(content) for content in contents]
        for number, content in enumerate(contents, 1):
            forged.did(number, *done[number - 1])
            forged.opened(f"seg-{number}", content)
        facts = forged.evidence.compare()
        assert facts["actions"] == facts["matched"] == sum(map(len, done)) > 4
        assert (facts["invented"], facts["episodes_without_recording"], facts["reasons"]) == (0, 0, {})

    def test_what_is_missing_and_what_is_invented_count_apart(self, forged: Forged) -> None:
        content = segment(1)
        done = done_in(content)
        forged.did(1, *done[1:], TruthAction(act="click", target=FIELD, began=0, ended=0))
        forged.opened("seg-1", content)
        facts = forged.evidence.compare()
        assert facts["actions"] == len(done)
        assert facts["matched"] == len(done) - 1
        assert facts["invented"] == 1
        assert sum(facts["reasons"].values()) == 2

    def test_an_episode_without_a_recording_counts_against_it(self, forged: Forged) -> None:
        forged.did(1, *done_in(segment(1)))
        forged.opened("seg-2", segment(2))
        facts = forged.evidence.compare()
        assert (facts["matched"], facts["episodes_without_recording"]) == (0, 1)
        assert facts["actions"] == len(done_in(segment(1)))

    def test_the_segments_of_a_recording_are_one_sequence_in_their_order(self, forged: Forged) -> None:
        parts = [segment(1, ordinal=ordinal) for ordinal in (0, 1)]
        forged.did(1, *(action for part in parts for action in done_in(part)))
        forged.opened("z-first", parts[0])
        forged.opened("a-second", parts[1])
        facts = forged.evidence.compare()
        assert facts["matched"] == facts["actions"] == 2 * len(done_in(parts[0]))

    def test_differences_name_no_text(self, forged: Forged, tmp_path: Path) -> None:
        forged.did(1, TruthAction(act="type", target=FIELD, began=0, ended=0, text="qzv7k2mx9w4tbb"))
        forged.opened("seg-1", segment(1))
        forged.evidence.compare()
        forged.evidence.write_differences()
        text = (tmp_path / "differences.json").read_text()
        assert "qzv7" not in text
        assert {each["kind"] for each in json.loads(text)} == {"missed", "invented"}


class TestSecrets:
    def test_only_what_stands_nowhere_in_clear_is_a_secret(self, forged: Forged) -> None:
        def typed(text: str, *, secure: bool = True, shown: bool = False) -> TruthAction:
            act = "fill_secret" if secure else "type"
            return TruthAction(act=act, target=FIELD, began=0, ended=0, text=text, secure=secure, shown=shown)

        words = (typed("one-secret"), typed("on-the-page", shown=True), typed("plain", secure=False))
        forged.did(1, *words, typed("abc"), typed("one-secret"))
        path = forged.evidence.passwords_file()
        assert path.read_text() == "one-secret\n"
        assert path.stat().st_mode & 0o777 == 0o600

    def test_spans_are_counted_also_where_nothing_was_captured(self, forged: Forged) -> None:
        forged.did(1, spans=3)
        forged.person.kept.mkdir()
        (forged.person.kept / "run.key").write_bytes(bytes(32))
        assert forged.evidence.passwords() == {"key_events": 0, "spans": 3}


class TestFiles:
    def test_the_sheet_shows_every_task_before_it_shows_one_twice(self, forged: Forged) -> None:
        for number, task in enumerate(("login", "login", "menu", "login", "date")):
            forged.opened(f"seg-{number}", segment(number, task=task))
        names = [path.stem for path in forged.evidence.for_the_sheet(4)]
        assert names == ["seg-0", "seg-2", "seg-4", "seg-1"]
        assert len(forged.evidence.for_the_sheet(2)) == 2
        assert len(forged.evidence.for_the_sheet(99)) == 5

    def test_hashes_are_of_whole_files_by_segment(self, forged: Forged) -> None:
        forged.opened("seg-1", b"one")
        forged.opened("seg-2", b"two")
        assert forged.evidence.opened_hashes() == {
            f"seg-{number}": hashlib.sha256(content).hexdigest()
            for number, content in ((1, b"one"), (2, b"two"))
        }

    def test_sealed_bytes_are_those_of_objects(self, forged: Forged, tmp_path: Path) -> None:
        folder = tmp_path / "home" / "server" / "objects" / "ab"
        folder.mkdir(parents=True)
        (folder / "one").write_bytes(b"12345")
        (folder.parent.parent / "server.sqlite").write_bytes(b"no object")
        assert forged.evidence.sealed_bytes(tmp_path / "home") == 5

    def test_a_store_search_takes_every_home_and_a_content_search_all_that_left(
        self, forged: Forged, tmp_path: Path
    ) -> None:
        home = tmp_path / "home"
        assert forged.evidence.searched("store", home) == [home, forged.person.device]
        assert forged.evidence.searched("content", home) == [forged.evidence.opened, forged.evidence.log]


FOUND = {"found": 0, "files": 3, "bytes": 9}
READ = {"found": 0, "found_in_frames": 0, "strings": 5, "frames": 1, "password_hits": []}


class TestJudging:
    """The stages that compare figures, with figures that somebody else found."""

    @pytest.fixture
    def demo(self, tmp_path: Path) -> Demo:
        (tmp_path / "canaries").write_text("qzv7k2mx9w4tbb\nvq83hfjz0xkd\n")
        return Demo(tmp_path, port=1, seed=1, canaries=tmp_path / "canaries")

    @pytest.fixture
    def search(self, demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Summary]:
        """Return the search stage, with what the commands would print."""
        for participant in demo.participants:
            participant.work.mkdir()
            (participant.work / "truth.jsonl").touch()

        def run(*, control: int = 2, store: int = 0, content: int = 0, parts: int = 0) -> Summary:
            def ask(*arguments: str, **_: object) -> Summary:
                if "--control" in arguments:
                    return {
                        "store": FOUND | {"found": control},
                        "content": READ | {"found": 2, "found_in_frames": 2},
                    }
                hits = [{"canary": 1}] * parts
                return {
                    "store": FOUND | {"found": store},
                    "content": READ | {"found": content, "password_hits": hits},
                }

            monkeypatch.setattr(module, "ask", ask)
            monkeypatch.setattr(demo.evidence, "make_control", lambda: None)
            return demo.search()[1]

        return run

    def test_a_clean_search_with_a_full_control_passes(self, search: Callable[..., Summary]) -> None:
        facts = search()
        assert (facts["planted"], facts["store_found"], facts["content_found"]) == (2, 0, 0)
        assert (facts["store_control"], facts["content_control"]) == (2, 2)

    @pytest.mark.parametrize(
        "figures", [{"store": 1}, {"content": 1}, {"parts": 1}, {"control": 1}, {"control": 0}]
    )
    def test_a_find_or_a_control_that_misses_one_ends_the_demonstration(
        self, search: Callable[..., Summary], figures: dict[str, int], tmp_path: Path
    ) -> None:
        with pytest.raises(StageError, match="planted strings"):
            search(**figures)
        assert (tmp_path / "search.json").exists()

    def test_what_was_opened_must_be_every_segment_and_every_byte(
        self, demo: Demo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        demo.evidence.opened.mkdir()
        (demo.evidence.opened / "seg-1.understudy").write_bytes(b"one")
        monkeypatch.setattr(module, "ask", lambda *_, **__: {"opened": ["seg-1"]})
        monkeypatch.setattr(module, "run_command", lambda *_, **__: None)
        demo.hashes = {"seg-1": hashlib.sha256(b"one").hexdigest()}
        assert demo.open()[1] == {"segments": 1, "bytes_equal": True}
        for hashes in ({"seg-1": "0" * 64}, {}, demo.hashes | {"seg-2": "0" * 64}):
            demo.hashes = hashes
            with pytest.raises(StageError, match="differs"):
                demo.open()

    def test_states_before_the_pointer_are_added_up(self, demo: Demo) -> None:
        demo.figures = [
            {"pointer_actions": 60, "pointer_before": 60},
            {"pointer_actions": 40, "pointer_before": 38},
        ]
        assert demo.prestate()[1] == {"pointer_actions": 100, "before_pointer": 0.98}
        demo.figures = [{"pointer_actions": 0, "pointer_before": 0}]
        assert demo.prestate()[1]["before_pointer"] == 0.0

    def test_the_cost_is_that_of_the_worst(self, demo: Demo) -> None:
        demo.figures = [{"cpu_percent": 3.1}, {"cpu_percent": 4.9}]
        assert demo.cost()[1] == {"cpu_percent": 4.9, "each": [3.1, 4.9]}
