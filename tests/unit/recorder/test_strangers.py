"""Other programs and foreign pages while it records: nothing of theirs is taken, typed, clicked or shown."""

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.desktop import desktop
from tests.simulator import Simulator
from tests.unit.recorder.stage import Recorder, Stage, at, participant, programme
from tests.unit.recorder.strangers import Stranger
from understudy.demo.desktop import Desktop
from understudy.formats.elements import Box
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.events import ButtonPress, KeyPress
from understudy.formats.recording.actions import Type

__all__ = ["desktop"]

FRAMED = b"""<!doctype html><html lang="en"><title>Pay</title><label>Article <input id="article"></label>
<p><iframe id="inner" width="400" height="80"></iframe>
<script>inner.src = 'http://localhost:' + location.port + '/inner'</script></html>"""
INNER = b"""<!doctype html><html lang="en"><title>Bank</title><label>Card <input></label></html>"""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(INNER if self.path == "/inner" else FRAMED)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def framed() -> Iterator[str]:
    """Return the address of a page with a page of another host in it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def stage(desktop: Desktop) -> Iterator[Stage]:
    """Return a browser on the desktop, showing a form."""
    with at(desktop), Stage(desktop) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Return a programme for all participants of this module."""
    with programme(tmp_path_factory.mktemp("programme") / "world") as made:
        yield made


@pytest.fixture
def recorder(stage: Stage, shared: Simulator, request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """Return a recorder that is recording a fresh page."""
    stage.reload()
    who = participant(shared, f"p{abs(hash(request.node.name))}")
    with Recorder(shared, who, display=stage.desktop.display) as running:
        running.wait_for("recording")
        yield running


def typed(recorder: Recorder) -> str:
    """Return every character in the raw files."""
    assert recorder.raw is not None
    keys = [item.keysym for item in recorder.raw.items() if isinstance(item, KeyPress)]
    return "".join(chr(key) for key in keys if 0x20 <= key < 0x100)


def texts(recorder: Recorder) -> list[str | None]:
    """Return what the held recording says was typed."""
    return [action.text for action, _ in recorder.actions() if isinstance(action, Type)]


def has_magenta(frame: PlacedPicture) -> bool:
    """Return whether the colour of strangers is in a frame."""
    pixels = np.frombuffer(frame.picture.rgb, np.uint8).reshape(-1, 3).astype(int)
    return bool(((pixels[:, 0] > 200) & (pixels[:, 1] < 60) & (pixels[:, 2] > 200)).any())


def test_what_is_typed_into_a_screen_lock_reaches_no_file(stage: Stage, recorder: Recorder) -> None:
    time.sleep(0.5)
    stage.fill("article", "before")
    time.sleep(0.4)
    with Stranger(stage.desktop.display) as lock:
        window = lock.cover(Box(0, 0, 1_280, 800))
        lock.grab_keys(window)
        recorder.wait_for("outside")
        stage.hands.write("Zq7-unlock", slips=False)
        stage.hands.press("Enter")
        time.sleep(0.3)
        lock.let_keys_go()
        lock.remove(window)
    recorder.wait_for("recording")
    time.sleep(0.5)
    stage.hands.write("after", slips=False)
    time.sleep(0.6)
    recorder.stop()
    assert typed(recorder) == "beforeafter"
    assert "Zq7" not in repr(recorder.stretches())


def test_what_is_typed_into_a_window_that_took_the_focus_reaches_no_file(
    stage: Stage, recorder: Recorder
) -> None:
    time.sleep(0.5)
    stage.click("article")
    time.sleep(0.4)
    with Stranger(stage.desktop.display) as launcher:
        window = launcher.cover(Box(300, 700, 400, 40))
        launcher.focus(window)
        recorder.wait_for("outside")
        stage.hands.write("payroll", slips=False)
        time.sleep(0.4)
    recorder.stop()
    assert typed(recorder) == ""


def test_a_foreign_window_over_the_page_is_neither_in_a_frame_nor_clicked(
    stage: Stage, recorder: Recorder
) -> None:
    time.sleep(0.5)
    stage.click("article")
    time.sleep(0.4)
    place = stage.box("send")
    with Stranger(stage.desktop.display) as notice:
        notice.cover(Box(place.x, place.y, place.width, place.height))
        stage.click("send")
        time.sleep(0.3)
        stage.fill("article", "chairs")
        time.sleep(0.8)
    recorder.stop()
    assert recorder.raw is not None
    items = recorder.raw.items()
    presses = [item for item in items if isinstance(item, ButtonPress)]
    assert presses
    assert not [press for press in presses if place.contains(press.x, press.y)]
    frames = [item for item in items if isinstance(item, PlacedPicture)]
    held = [frame for stretch in recorder.stretches() for frame in stretch.frames]
    assert held
    assert not [frame for frame in (*frames, *held) if has_magenta(frame)]


def test_what_is_typed_into_a_foreign_page_inside_the_page_reaches_no_file(
    stage: Stage, recorder: Recorder, framed: str
) -> None:
    stage.reload(framed)
    recorder.wait_for("recording")
    time.sleep(0.8)
    stage.fill("article", "Chair")
    time.sleep(0.4)
    inner = stage.box("inner")
    stage.hands.click(Box(inner.x + 70, inner.y + 16, 60, 6))
    time.sleep(0.4)
    stage.hands.write("4000-1234", slips=False)
    time.sleep(0.6)
    recorder.stop()
    assert typed(recorder) == "Chair"
    assert texts(recorder) == ["Chair"]


def test_no_process_that_knows_what_is_recorded_leaves_its_memory_on_a_disk(recorder: Recorder) -> None:
    assert recorder.session is not None
    capture = recorder.session._children.capture.child.pid  # noqa: SLF001 - no way from outside
    limits = Path(f"/proc/{capture}/limits").read_text()
    assert [line.split()[4:6] for line in limits.splitlines() if "core file" in line] == [["0", "0"]]
