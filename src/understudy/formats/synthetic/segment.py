"""Acts out a segment: a page is shown, someone who does not exist acts on it, and the page changes.

Rules

* The state before an act is drawn before the act changes anything, as a recorder must do it.
* Acts of every kind occur when ``actions`` is at least 24; fewer give the beginning of the same play.
* Each canary is typed once, stands in a name, and stands in a value.
"""

import io
import random
from collections.abc import Iterator, Sequence

from understudy.formats.elements import Box, ElementState
from understudy.formats.recording.actions import (
    Action,
    Click,
    DoubleClick,
    Drag,
    FillSecret,
    Hover,
    Key,
    Mark,
    MiddleClick,
    Modifier,
    Point,
    RightClick,
    Scroll,
    Select,
    TripleClick,
    Type,
)
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.manifest import Manifest, Outcome
from understudy.formats.recording.versions import Version
from understudy.formats.recording.writer import RecordingWriter
from understudy.formats.screen import Screen
from understudy.formats.synthetic.page import (
    HEIGHT,
    TILE,
    WIDTH,
    Page,
    add_notes,
    close_menu,
    form_page,
    list_page,
    open_menu,
    open_options,
)

_WORDS = ("amber", "basalt", "cedar", "delta", "ember", "fjord", "granite", "harbour", "indigo", "juniper")
_COLOURS = ("red", "green", "blue", "white")
_MENU = ("Open", "Rename", "Export")


def synthetic_segment(
    seed: int,
    *,
    recording: str,
    ordinal: int,
    started_at: int,
    ended_at: int,
    canaries: Sequence[str] = (),
    actions: int = 12,
    task: str = "synthetic",
    application_group: str = "synthetic",
) -> bytes:
    """Return a recording file of one segment that no person made.

    Args:
        seed: chooses words, times and pixels.
        recording: ``rec_`` id that the segment says it belongs to.
        ordinal: place of the segment in the recording.
        started_at: seconds UTC.
        ended_at: seconds UTC, at most an hour later.
        canaries: texts of at most 2,000 characters, to be found again.
        actions: how many acts, beside one for each canary.
        task: task label, as the segment's header will have it.
        application_group: as the segment's header will have it.

    Raises:
        RecordingError: an argument is outside the bounds of the format.
    """
    file = io.BytesIO()
    manifest = Manifest(
        recording=recording,
        ordinal=ordinal,
        title=f"Synthetic recording, seed {seed}",
        task=task,
        application_group=application_group,
        started_at=started_at,
        ended_at=ended_at,
        screen=Screen(width=WIDTH, height=HEIGHT),
        source="synthetic",
        redaction=None,
        instruction="Fill in the form, send it, and export the first row. (No person did this.)",
        locale="en",
        fonts=("Pillow bitmap font",),
        outcome=Outcome.SUCCEEDED,
    )
    dice = random.Random(f"{seed}/{ordinal}")  # noqa: S311 - sample data, not secrets
    _Play(RecordingWriter(file), manifest, dice).run(actions, tuple(canaries))
    return file.getvalue()


def synthetic_recording(
    seed: int,
    *,
    recording: str,
    started_at: int,
    segments: int = 3,
    segment_seconds: int = 60,
    canaries: Sequence[str] = (),
    actions: int = 12,
    task: str = "synthetic",
    application_group: str = "synthetic",
) -> list[bytes]:
    """Return the files of all segments of a recording, in order; arguments as in ``synthetic_segment``."""
    return [
        synthetic_segment(
            seed,
            recording=recording,
            ordinal=ordinal,
            started_at=started_at + ordinal * segment_seconds,
            ended_at=started_at + (ordinal + 1) * segment_seconds,
            canaries=canaries,
            actions=actions,
            task=task,
            application_group=application_group,
        )
        for ordinal in range(segments)
    ]


class _Play:
    """The page as it stands, the clock of the play, and the writer."""

    def __init__(self, writer: RecordingWriter, manifest: Manifest, dice: random.Random) -> None:
        self._writer = writer
        self._manifest = manifest
        self._dice = dice
        tile = bytes(byte & 0xF0 for byte in dice.randbytes(TILE * TILE * 3))
        self._form = form_page("Synthetic form", tile)
        self._list = list_page("Synthetic list", tile, [self._words(3) for _ in range(9)])
        self._at_ms = 0

    def run(self, actions: int, canaries: tuple[str, ...]) -> None:
        """Act out ``actions`` acts and one for each canary, and write the file."""
        add_notes(self._form, canaries)
        add_notes(self._list, canaries)
        gap = self._gap()
        steps = self._steps(canaries)
        for at_ms in self._times(actions + len(canaries), gap):
            self._at_ms = at_ms
            self._writer.add_action(next(steps))
        if gap is not None:
            self._writer.add_gap(gap)
        self._writer.finish(self._manifest)

    def _gap(self) -> Gap | None:
        grid, last = self._manifest.time_grid_ms, self._manifest.last_ms
        if last < 10 * grid:
            return None
        start = self._manifest.on_grid(self._dice.randrange(last // 3, last // 2))
        return Gap(from_ms=start, to_ms=start + 3 * grid)

    def _times(self, count: int, gap: Gap | None) -> list[int]:
        """Return times on the grid, in order, none of them inside the gap."""
        last = self._manifest.duration_ms
        times = sorted(self._manifest.on_grid(self._dice.randint(0, last)) for _ in range(count))
        if gap is None:
            return times
        return [gap.to_ms if gap.from_ms < time < gap.to_ms else time for time in times]

    def _steps(self, canaries: tuple[str, ...]) -> Iterator[Action]:
        for text in canaries:
            yield self._type("notes", text)
        while True:
            yield from self._fill_form()
            yield from self._work_through_list()

    def _fill_form(self) -> Iterator[Action]:
        form = self._form
        yield self._click(form, "reference")
        form.focus("reference")
        yield self._type("reference", f"{self._words(1)}-{self._dice.randrange(1000, 9999)}")
        yield self._key(form, "reference", "Tab")
        form.focus("amount")
        yield self._type("amount", str(self._dice.randrange(1, 500)))
        yield self._on(form, "notes", TripleClick)
        form.focus("notes")
        yield self._type("notes", self._words(4))
        yield self._click(form, "colour")
        colour = self._dice.choice(_COLOURS)
        yield self._choose(colour)
        yield self._click(form, "confirm", value="true")
        form.widget("confirm").states.add(ElementState.CHECKED)
        yield self._click(form, "secret")
        form.focus("secret")
        before, target = self._see(form), form.number("secret")
        yield FillSecret(at_ms=self._at_ms, before=before, target=target)
        yield self._click(form, "send")
        form.focus(None)
        form.widget("confirm").states.discard(ElementState.CHECKED)

    def _work_through_list(self) -> Iterator[Action]:
        page = self._list
        row = f"row{self._dice.randrange(3, 7)}"
        before, target, point = self._aim(page, row)
        yield Scroll(at_ms=self._at_ms, before=before, target=target, point=point, dy=3)
        yield self._on(page, row, DoubleClick)
        yield self._on(page, row, RightClick)
        before, target, point = self._aim(page, "menu")
        yield Hover(at_ms=self._at_ms, before=before, target=target, point=point)
        open_menu(page, _MENU)
        yield self._click(page, f"item{self._dice.randrange(len(_MENU))}")
        close_menu(page)
        yield self._on(page, "row1", MiddleClick, marks=(Mark.POINTER_INSIDE,))
        yield self._drag(row, "row0")
        control = (Modifier.CONTROL,)
        yield Key(at_ms=self._at_ms, before=self._see(page), key="s", modifiers=control)
        yield self._key(page, "row0", "ArrowDown", times=3)
        yield self._click(page, "back")

    def _see(self, page: Page) -> int:
        """Store what the screen shows now, and return the number of the version."""
        tree = self._writer.add_tree(page.tree())
        frame = self._writer.add_frame(page.picture())
        return self._writer.add_version(Version(at_ms=self._at_ms, tree=tree, frame=frame))

    def _aim(self, page: Page, id_: str) -> tuple[int, int, Point]:
        """Return the state before, the element, and a pixel inside it."""
        box = page.widget(id_).box or Box(0, 0, 1, 1)
        x = box.x + self._dice.randrange(1, max(box.width - 1, 2))
        y = box.y + self._dice.randrange(1, max(box.height - 1, 2))
        return self._see(page), page.number(id_), Point(x, y)

    def _click(self, page: Page, id_: str, value: str | None = None) -> Action:
        return self._on(page, id_, Click, value=value)

    def _on(
        self,
        page: Page,
        id_: str,
        kind: type[Click | DoubleClick | TripleClick | RightClick | MiddleClick],
        *,
        value: str | None = None,
        marks: tuple[Mark, ...] = (),
    ) -> Action:
        before, target, point = self._aim(page, id_)
        return kind(at_ms=self._at_ms, before=before, target=target, point=point, value=value, marks=marks)

    def _type(self, id_: str, text: str) -> Action:
        before = self._see(self._form)
        self._form.widget(id_).value = text
        target = self._form.number(id_)
        return Type(at_ms=self._at_ms, before=before, target=target, text=text, value=text)

    def _key(self, page: Page, id_: str, key: str, times: int = 1) -> Action:
        target = page.number(id_)
        return Key(at_ms=self._at_ms, before=self._see(page), target=target, key=key, times=times)

    def _choose(self, colour: str) -> Action:
        form = self._form
        unopened = list(form.widgets)
        open_options(form, "colour", _COLOURS)
        before, target = self._see(form), form.number("colour")
        option_element = form.number(f"option-{colour}")
        form.widgets = unopened
        form.widget("colour").value = colour
        return Select(
            at_ms=self._at_ms,
            before=before,
            target=target,
            option=colour,
            option_element=option_element,
            value=colour,
        )

    def _drag(self, from_id: str, to_id: str) -> Action:
        page = self._list
        before, target, point = self._aim(page, from_id)
        box = page.widget(to_id).box or Box(0, 0, 1, 1)
        moved, rest = page.widget(from_id), page.widget(to_id)
        moved.name, rest.name = rest.name, moved.name
        return Drag(
            at_ms=self._at_ms,
            before=before,
            target=target,
            point=point,
            to=Point(box.x + box.width // 2, box.y + box.height // 2),
            drop=page.number(to_id),
        )

    def _words(self, count: int) -> str:
        return " ".join(self._dice.choice(_WORDS) for _ in range(count))
