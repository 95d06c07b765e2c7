"""Nothing sensitive leaves the device: what was typed is looked for in all that did, and is not there.

Shows R-13, R-15, R-16, R-20 and R-21 on the real thing, once: three processes of the programme, a real
display and browser, the recorder, redaction, the person's own ``review share``, and a reader who opens all of
it through the door. A synthetic person fills in a form with planted strings of several alphabets, and enters
passwords.

Both searches have a control: the same input, neither redacted nor sealed, in which they find every string.
Then each layer is taken away in turn, over the same input, and each has to be noticed.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random
from typing import Final
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from tests.machine import Machine
from tests.promises.conftest import Faults
from tests.typing_trials import MAX_LATENESS_MS, SECRET_BASE, Heard, Script, leaked, run
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Purpose, Stream
from understudy.demo.commands import run_command
from understudy.demo.episodes import PlannedEpisode
from understudy.demo.evidence import SHORTEST_SECRET, held_hashes
from understudy.demo.kept import KEY_FILE, keys_within, replay, without_layers
from understudy.demo.pages import CUSTOMER_RECORD, CUSTOMER_RECORD_PAGE
from understudy.demo.participant import Participant
from understudy.demo.records import make_record
from understudy.demo.script import PAGE_FACES
from understudy.demo.truth import TruthEpisode
from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.events import KeyPress
from understudy.formats.raw.reader import RawReader
from understudy.formats.recording.keysyms import character_of
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.reader import RecordingReader
from understudy.learning.browser.chromium import Chromium
from understudy.learning.browser.rendering import render
from understudy.learning.miniwob.tasks import task
from understudy.recorder.capture.gate import Gate
from understudy.recorder.capture.observed import Focused, Security
from understudy.recorder.device import Device
from understudy.recorder.held import HeldStore
from understudy.redaction.canaries.content import ContentReport, search_content
from understudy.redaction.canaries.pixels import Template, template
from understudy.redaction.canaries.planted import grams, read_canaries
from understudy.redaction.canaries.store import search_store
from understudy.redaction.kinds import ALL_LAYERS, Layer
from understudy.redaction.redactor import Redactor
from understudy.sealing.run import RunKey

# One journey in real time is the set-up of all tests here: over a minute, more on a busy machine.
pytestmark = pytest.mark.timeout(300)

SPEED: Final = 3.0
"""Three times as fast as the demonstration's people: a form in half a minute, and no key lost."""
STREAMS: Final = (Stream.ELEMENTS, Stream.FRAMES, Stream.INPUT, Stream.TEXT_VALUES)
ALPHABETS: Final = (
    "\u0446\u043a\u0449\u0432\u043c\u043d\u0436\u0440\u0445\u043f\u0444\u0431",  # Cyrillic consonants
    "bcdfghjkmnpqrstvwxz",
    "\u03c8\u03c9\u03c6\u03c7\u03b8\u03bb\u03be\u03c0\u03c3\u03b4",  # Greek letters
    "bcdfghjkmnpqrstvwxz",
    "123456789bdfhkmx",
    "\u0446\u043a\u0449\u0432\u043c\u043d\u0436\u0440\u0445\u043f\u0444\u0431",
    "bcdfghjkmnpqrstvwxz23456789",
)
"""In the order of ``PLANTED_FIELDS``. One more is shown and never typed: nothing tells it but its look."""
LENGTH: Final = 14
SEED: Final = 11


def plan() -> tuple[list[str], tuple[PlannedEpisode, ...]]:
    """Return what is planted, and what the person does."""
    rng = Random(SEED)
    planted = ["".join(rng.choices(alphabet, k=LENGTH)) for alphabet in (*ALPHABETS, ALPHABETS[-1])]
    record = make_record(planted[:-1], rng=rng)
    form = PlannedEpisode(
        task=CUSTOMER_RECORD,
        seed=SEED,
        page=CUSTOMER_RECORD_PAGE,
        title=f"New customer {planted[0]}",
        record=replace(record, signed_in_as=planted[-1], planted=tuple(planted)),
    )
    names = ("login-user", "enter-password")
    tasks = [PlannedEpisode(task=name, seed=SEED, page=task(name).page, title=name) for name in names]
    return list(read_canaries("\n".join(planted))), (form, *tasks)


class Journey:
    """What became of one person's work, from the hands to a reader; everything is in folders."""

    def __init__(self, machine: Machine) -> None:
        self.machine: Final = machine
        self.planted, self._episodes = plan()
        self.opened: Final = machine.folder / "opened"
        self.held: Final = machine.folder / "held"
        self.told: Final = machine.folder / "told"
        self.control: Final = machine.folder / "control"
        self.person: Final = Participant(1, machine.folder, server=machine.server_address)

    def travel(self) -> None:
        """Record, hold, share, open; and write the control."""
        self.told.mkdir()
        pinned = self.machine.custodian.document().hash(ProgrammeDocument)
        device = Device.create(self.person.device, self.machine.server.document(), pinned=pinned)
        device.enrol(self.machine.server, self.machine.clock)
        group = self.machine.document.terms.application_groups[0].name
        device.give_consent(
            self.machine.server,
            self.machine.clock,
            purposes=(Purpose.TRAIN,),
            streams=STREAMS,
            groups=(group,),
        )
        with self.person as person:
            person.start(self._episodes, seed=SEED, speed=SPEED)
            while not person.is_done:
                time.sleep(0.1)
            self.figures = person.stop()
        self._look_at_what_is_held()
        self._tell("review", "list", "--device", str(self.person.device))
        self._tell("review", "share", "--all", "--now", *self.person.place)
        key = ("--key", str(self.machine.home / "people" / "reader.json"), "--reason", "model-improvement")
        place = ("--server", self.machine.server_address)
        document = ("--document", str(self.machine.home / "document.json"))
        self._tell("grant", "open", self.machine.grant(), *key, *place, *document, "--out", str(self.opened))
        auditor = ("--key", str(self.machine.home / "people" / "auditor.json"))
        log = ("--out", str(self.told / "log"), "--entries", *auditor)
        self._tell("log", "export", *log, "--server", self.machine.server_address)
        shutil.copytree(self.person.work / "desktop" / "logs", self.told / "children")
        for party in ("server", "custodian", "witness"):
            for path in (self.machine.home / party).glob("*.log"):
                shutil.copyfile(path, self.told / f"{party}-{path.name}")
        replay(self.person.kept, self.control)

    @property
    def secrets(self) -> list[str]:
        """Every password that was typed and stood nowhere in clear."""
        return sorted(
            {
                action.text
                for episode in self.truth
                for action in episode.actions
                if action.secure and not action.shown and action.text and len(action.text) >= SHORTEST_SECRET
            }
        )

    @property
    def truth(self) -> tuple[TruthEpisode, ...]:
        """What the hands did."""
        return self.person.truth

    @property
    def spans(self) -> list[tuple[int, int]]:
        """From the first key of each secret to its last."""
        return [(span.began, span.ended) for episode in self.truth for span in episode.secure]

    def raw_texts(self) -> Iterator[str]:
        """Yield every text that capture wrote, and all characters of its key presses in a row."""
        key = RunKey((self.person.kept / KEY_FILE).read_bytes())
        for path in self.person.kept.iterdir():
            if path.name == KEY_FILE or not path.stat().st_size:
                continue
            typed = ""
            with path.open("rb") as file:
                for item in RawReader(file, key.sealer(path.name)).items():
                    if isinstance(item, ElementTree):
                        for one in item.elements:
                            yield from filter(None, (one.name, one.value, one.id, *one.classes))
                    elif isinstance(item, tuple):
                        presses = [event for event in item if isinstance(event, KeyPress)]
                        typed += "".join(character_of(event.keysym) or "" for event in presses)
            yield typed

    def _look_at_what_is_held(self) -> None:
        """Write what the person's own key opens, before it is shared."""
        self.held.mkdir()
        store = HeldStore(Device(self.person.device))
        self.hashes = held_hashes(self.person.device)
        for recording in store.recordings():
            for segment, payload in store.payloads(recording.recording).items():
                (self.held / f"{segment}.understudy").write_bytes(payload)
            (self.held / f"{recording.recording}.json").write_text(
                json.dumps([recording.title, recording.task_label], ensure_ascii=False)
            )

    def _tell(self, *arguments: str) -> None:
        """Run a command, and keep what it printed."""
        done = run_command(*arguments)
        (self.told / f"{'-'.join(arguments[:2])}.txt").write_text(done.stdout + done.stderr)


@pytest.fixture(scope="module")
def journey() -> Iterator[Journey]:
    """Return the journey, travelled once."""
    with Machine.started() as machine:
        made = Journey(machine)
        made.travel()
        yield made


@pytest.fixture(scope="module")
def templates(journey: Journey) -> tuple[Template, ...]:
    """Return how the planted strings look in this browser."""
    with Chromium(headless=True, announce=lambda _: None) as browser:
        return tuple(
            template(number, *pictures)
            for face in PAGE_FACES
            for number, pictures in enumerate(render(browser.page, journey.planted, face=face), 1)
        )


def test_all_of_it_was_done_recorded_and_opened(journey: Journey) -> None:
    """What follows would hold of nothing at all."""
    assert [str(result.outcome) for result in journey.person.results] == ["succeeded"] * 3
    assert journey.figures["actions"] >= 20
    assert len(list(journey.opened.iterdir())) == len(journey.hashes) >= 3
    plain = [action for one in journey.truth for action in one.actions if not action.secure]
    typed = " ".join(action.text or "" for action in plain)
    assert all(planted in typed for planted in journey.planted[:-1])
    actions = 0
    for path in journey.opened.iterdir():
        with path.open("rb") as file:
            reader = RecordingReader(file)
            actions += sum(1 for _ in reader.actions())
            assert reader.manifest.redaction is not None
            assert set(reader.manifest.redaction.layers) == {layer.value for layer in ALL_LAYERS}
    assert actions == journey.figures["actions"]


class TestStore:
    """R-15: everything at rest, on every machine."""

    def test_no_planted_string_is_at_rest_anywhere(self, journey: Journey) -> None:
        report = search_store([journey.machine.home, journey.person.device], journey.planted)
        assert report.is_complete
        assert report.files > 20
        assert report.hits == ()

    def test_the_same_search_finds_all_of_them_unsealed(self, journey: Journey) -> None:
        assert search_store([journey.control], journey.planted).found == len(journey.planted)

    def test_no_password_is_at_rest_anywhere(self, journey: Journey) -> None:
        report = search_store([journey.machine.home, journey.person.device], journey.secrets)
        assert journey.secrets
        assert report.hits == ()

    def test_one_object_that_is_not_sealed_is_noticed(self, journey: Journey, faults: Faults) -> None:
        plain = journey.machine.home / "server" / "objects" / "plain"
        shutil.copyfile(max(journey.control.iterdir(), key=lambda path: path.stat().st_size), plain)
        try:
            found = search_store([journey.machine.home], journey.planted).found
        finally:
            plain.unlink()
        faults.caught("store: one recording lies unsealed", caught=found > 0)


class TestContent:
    """R-15, R-16, R-20: everything that left the device, opened with all keys."""

    def test_no_planted_string_is_in_what_was_opened(
        self, journey: Journey, templates: tuple[Template, ...]
    ) -> None:
        report = search_content(
            [journey.opened, journey.told], journey.planted, templates=templates, passwords=journey.secrets
        )
        assert report.is_complete
        assert report.recordings == len(journey.hashes)
        assert report.frames > 0
        assert report.hits == ()
        assert report.password_hits == ()

    def test_the_same_search_finds_all_of_them_unredacted(
        self, journey: Journey, templates: tuple[Template, ...]
    ) -> None:
        report = search_content(
            [journey.control], journey.planted, templates=templates, passwords=journey.planted
        )
        assert report.found == len(journey.planted)
        assert report.found_in_frames == len(journey.planted)
        assert len({hit.canary for hit in report.password_hits}) == len(journey.planted)
        assert {hit.part for hit in report.hits} >= {"action", "keys", "tree", "frame"}

    def test_of_an_address_only_the_host_is_there(self, journey: Journey) -> None:
        """R-20; the control: the host itself is found."""
        for path in journey.opened.iterdir():
            with path.open("rb") as file:
                reader = RecordingReader(file)
                trees = [reader.tree(number) for number in range(reader.count(Kind.TREES))]
            assert {tree.host for tree in trees} == {"127.0.0.1"}
        assert search_content([journey.opened], [CUSTOMER_RECORD_PAGE, "http://", "127.0.0.1:"]).hits == ()

    def test_nothing_raw_and_nothing_in_clear_is_left_on_the_device(self, journey: Journey) -> None:
        """R-21; that it is so after failures too is shown where they are made (README, the recorder)."""
        assert not list((journey.person.device / "raw").iterdir())
        key = (journey.person.kept / KEY_FILE).read_bytes()
        files = [path for path in journey.person.device.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if key in path.read_bytes()]


class TestPasswords:
    """R-13, R-15: secrets are not even captured."""

    def test_no_key_inside_a_secret_was_captured(self, journey: Journey) -> None:
        assert len(journey.spans) >= 5
        assert keys_within(journey.person.kept, journey.spans) == 0

    def test_the_same_count_finds_keys_that_are_no_secret(self, journey: Journey) -> None:
        """The control."""
        actions = [action for one in journey.truth for action in one.actions if action.act == "type"]
        assert keys_within(journey.person.kept, [(one.began, one.ended) for one in actions]) > 100

    def test_not_four_characters_of_one_are_in_anything_captured_or_held(self, journey: Journey) -> None:
        raw = list(journey.raw_texts())
        parts = [part for secret in journey.secrets for part in grams(secret)]
        assert parts
        assert not [part for part in parts for text in raw if part in text]
        assert all(any(planted in text for text in raw) for planted in journey.planted)  # the control
        report = search_content([journey.held], journey.planted, passwords=journey.secrets)
        assert (report.hits, report.password_hits, report.is_complete) == ((), (), True)


def unmasked(frame: PlacedPicture, _trees: object, **_: object) -> PlacedPicture:
    """The seeded fault: the frame as it was."""
    return frame


FAULTS: Final[dict[str, tuple[frozenset[Layer], Callable[[], AbstractContextManager[object]]]]] = {
    "structure": (ALL_LAYERS - {Layer.STRUCTURE}, nullcontext),
    "patterns": (ALL_LAYERS - {Layer.PATTERNS}, nullcontext),
    "propagation": (ALL_LAYERS - {Layer.PROPAGATION}, nullcontext),
    "pixels": (ALL_LAYERS - {Layer.PIXELS}, nullcontext),
    "masks": (ALL_LAYERS, lambda: patch("understudy.redaction.redactor.masked", unmasked)),
}


class TestSeededFaults:
    """The same input, captured once, through a recorder that lacks one of its guards."""

    def again(
        self, journey: Journey, folder: Path, layers: frozenset[Layer], templates: tuple[Template, ...] = ()
    ) -> ContentReport:
        replay(journey.person.kept, folder, redactor=lambda: Redactor(bytes(32), layers=layers))
        return search_content([folder], journey.planted, templates=templates)

    def test_with_every_layer_the_replay_is_clean_too(
        self, journey: Journey, tmp_path: Path, templates: tuple[Template, ...]
    ) -> None:
        """So that what the next tests find comes of the fault, and of nothing else."""
        assert self.again(journey, tmp_path / "clean", ALL_LAYERS, templates).hits == ()
        assert not without_layers().stamp.layers

    @pytest.mark.parametrize("fault", list(FAULTS))
    def test_each_guard_of_redaction_that_is_missing_is_noticed(
        self, journey: Journey, tmp_path: Path, faults: Faults, templates: tuple[Template, ...], fault: str
    ) -> None:
        layers, seed = FAULTS[fault]
        is_seen = fault in {"pixels", "masks"}
        with seed():
            report = self.again(journey, tmp_path / fault, layers, templates if is_seen else ())
        found = report.found_in_frames if is_seen else report.found
        faults.caught(f"redaction: without {fault}", caught=found > 0)

    @pytest.mark.parametrize("lateness", [60, MAX_LATENESS_MS])
    def test_a_gate_that_holds_nothing_back_is_noticed(
        self, journey: Journey, faults: Faults, lateness: int
    ) -> None:
        """R-13: the hands' own timing, and a desktop that tells late that the focus is on a password."""
        script = typed_secrets(journey.truth, lateness)
        assert script.secrets > 20
        assert leaked(run(Gate(), script, Random(SEED))) == 0
        found = leaked(run(Gate(hold_ms=0), script, Random(SEED), can_stall=False))
        faults.caught(f"gate: no hold-back, {lateness} ms late", caught=found > 0)


def typed_secrets(truth: tuple[TruthEpisode, ...], lateness: int) -> Script:
    """Return the secrets of a person as keys at the times at which they were typed.

    Before each the focus is on a plain field, and moves when the first key comes: as if by Tab.
    """
    keys: list[Heard] = []
    focus: list[Heard] = []
    count, now = 0, 1_000
    for action in (action for one in truth for action in one.actions if action.secure and action.text):
        focus.append(Heard(now, now, Focused(time=0, security=Security.PLAIN)))
        now += 500
        focus.append(Heard(now, now + lateness, Focused(time=0, security=Security.SECURE)))
        text = action.text or ""
        pace = max(1, (action.ended - action.began) // len(text))
        for number in range(len(text)):
            at, code = now + 1 + number * pace, 40 + number % 20
            keys.append(Heard(at, at, KeyPress(time=at, keycode=code, keysym=SECRET_BASE + number)))
            count += 1
        now += len(text) * pace + 600
    return Script(keys, focus, count)
