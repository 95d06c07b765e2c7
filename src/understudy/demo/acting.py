"""Does one step with the hands, and writes down what was done.

Rules

* Only ``Hands`` reach the page. The page is looked at to see that the focus arrived, as a person sees it.
* What is written down is what a person means: the click that gives a field the focus is an act of its own;
  opening a list and choosing is one; turning the wheel on and on, or typing on in a field, is one.
* Nobody points through their own pointer: where it lies on what is to be clicked next, because the page put
  that there, it is drawn aside for a look and comes back. A click without any approach has no state from
  before the pointer; what a recorder makes of one is for its own tests to say.
* After an act the page is given time to have taken it, by its own count of events: who looks too early would
  do it twice.
* An act is written when the next one begins, or when the episode ends.

Example: see ``Person``, its only user.
"""

import random
from typing import Final

from msgspec.structs import replace

from understudy.demo.display import Display, WindowBox
from understudy.demo.errors import PersonError
from understudy.demo.hands import Done, Hands, wait_until
from understudy.demo.oracles.look import Look, Seen, look_at
from understudy.demo.oracles.steps import Choose, Click, Fill, Hover, Press, Scroll, Secret, Step
from understudy.demo.placement import Placement
from understudy.demo.truth import SecureSpan, TruthAction, TruthLog, TruthTarget
from understudy.formats.elements import Box
from understudy.learning.browser import Page

TAKEN_SECONDS: Final = 2.0
FOCUS_SECONDS: Final = 3.0
POPUP_SECONDS: Final = 3.0
_COUNT: Final = """['pointerup', 'keyup'].reduce(
  (sum, kind) => sum + (performance.eventCounts.get(kind) || 0), 0)"""
"""Events of the Event Timing API (W3C): how many the page was given, without any listener of ours."""
_TAB_CHANCE: Final = 0.4
_MOUSE_CHANCE: Final = 0.5
_FIRST_PART: Final = 18
"""Pixels from the left edge where the first part of a native date field is."""
_JOINED: Final = frozenset({"scroll", "type", "fill_secret"})


class Actor:
    """Acts on one page.

    Args:
        page: what is looked at.
        placement: where it is on the screen.
        hands: what acts.
        display: asked for lists that open as windows of their own.
        truth: where acts are written down.
        rng: decides between ways of doing a thing.
    """

    def __init__(
        self,
        *,
        page: Page,
        placement: Placement,
        hands: Hands,
        display: Display,
        truth: TruthLog,
        rng: random.Random,
    ) -> None:
        self._page = page
        self._placement = placement
        self._hands = hands
        self._display = display
        self._truth = truth
        self._rng = rng
        self._open: TruthAction | None = None
        self._look: Look | None = None

    def do(self, step: Step, look: Look) -> None:
        """Do a step that was decided on a look.

        Raises:
            PersonError: a field did not take the focus, or a list did not open.
            HandsError: the display does not take input.
        """
        self._look = look
        released, counted = self._hands.released, self._page.evaluate(_COUNT)
        self._act(step, look)
        if isinstance(step, Choose):
            return  # its keys go to a window of their own, and it has seen the choice arrive
        wanted = counted + self._hands.released - released
        wait_until(lambda: self._page.evaluate(_COUNT) >= wanted, seconds=TAKEN_SECONDS)

    def _act(self, step: Step, look: Look) -> None:
        match step:
            case Click():
                self._click(step.target)
            case Hover():
                done = self._hands.hover(self._aim(step.target))
                self._note("hover", step.target, done, point=(done.x, done.y))
            case Fill():
                self._fill(step, look)
            case Secret():
                self._enter_secret(step, look)
            case Choose():
                self._choose(step)
            case Press():
                done = self._hands.press(step.key)
                self._note("key", step.target, done, key=step.key)
            case Scroll():
                done = self._hands.scroll(self._aim(step.target), step.notches)
                self._note("scroll", step.target, done, point=(done.x, done.y), dy=step.notches)
            case _:
                raise PersonError("a step of a kind that no hand knows")

    def finish(self) -> None:
        """Write down what is still open."""
        if self._open is not None:
            self._truth.write(self._open)
            self._open = None

    def _click(self, target: Seen, *, aim: Box | None = None) -> None:
        self._uncover(target)
        done = self._hands.click(aim or self._aim(target))
        self._note("click", target, done, point=(done.x, done.y))

    def _fill(self, step: Fill, look: Look) -> None:
        self._focus(step.target, look, first_part=bool(step.keys))
        if step.target.value and not step.adds and not step.keys:
            done = self._hands.press("a", modifiers=("control",))
            self._note("key", step.target, done, key="a", modifiers=("control",))
        rest = step.text[len(step.target.value) :] if step.adds else step.text
        done = self._hands.write(step.keys or rest, slips=not step.keys)
        self._note("type", step.target, done, text=rest)

    def _enter_secret(self, step: Secret, look: Look) -> None:
        self._focus(step.target, look)
        if step.target.value:
            # Named keys only: a secret that went wrong is taken back as a whole.
            self._hands.press("Backspace", times=len(step.target.value))
        done = self._hands.write(step.text, slips=False)
        self._note("fill_secret", step.target, done, text=step.text, secure=True, shown=step.shown)
        self.finish()
        self._truth.write(SecureSpan(began=done.began, ended=done.ended))

    def _focus(self, target: Seen, look: Look, *, first_part: bool = False) -> None:
        """Give a field the focus: by the Tab key where it is next and the person likes it, or by a click."""
        if target.focused:
            return
        at = look.focused
        if at is not None and look.follows_focus(target) and self._rng.random() < _TAB_CHANCE:
            self._note("key", at, self._hands.press("Tab"), key="Tab")
        elif first_part:
            box = self._aim(target)
            self._click(target, aim=Box(box.x + 4, box.y + 2, _FIRST_PART - 4, max(box.height - 4, 1)))
        else:
            self._click(target)
        if not wait_until(lambda: _has_focus(self._page, target), seconds=FOCUS_SECONDS):
            raise PersonError("a field did not take the focus")

    def _choose(self, step: Choose) -> None:
        """Open a native list and choose, by the pointer or the arrow keys."""
        target = step.target
        if step.option not in target.options:
            raise PersonError("the list has no such option")
        wanted = target.options.index(step.option)
        before = {popup.window for popup in self._display.popups()}
        self._uncover(target)
        opened = self._hands.click(self._aim(target))
        found: list[WindowBox] = []

        def has_opened() -> bool:
            found[:] = [popup for popup in self._display.popups() if popup.window not in before]
            return bool(found)

        if not wait_until(has_opened, seconds=POPUP_SECONDS):
            raise PersonError("a list did not open")
        self._hands.pause(150, 400)
        row = option_row(found[-1], len(target.options), wanted)
        if row is not None and self._rng.random() < _MOUSE_CHANCE:
            done = self._hands.click(row)
        else:
            done = self._choose_by_keys(wanted - target.chosen)
        if not wait_until(lambda: _chosen(self._page, target) == wanted, seconds=POPUP_SECONDS):
            raise PersonError("a list did not take the choice")
        whole = Done(opened.began, done.ended, opened.x, opened.y)
        self._note("select", target, whole, point=(opened.x, opened.y), option=step.option)

    def _choose_by_keys(self, steps: int) -> Done:
        if steps:
            self._hands.press("ArrowDown" if steps > 0 else "ArrowUp", times=abs(steps))
        return self._hands.press("Enter")

    def _uncover(self, target: Seen) -> None:
        """Draw the pointer aside where it lies on the target, and look."""
        if self._hands.draw_aside(self._placement.on_screen(target.box)):
            self._hands.pause(150, 350)

    def _aim(self, target: Seen) -> Box:
        return self._placement.on_screen(target.aim)

    def _note(self, act: str, target: Seen, done: Done, **more: object) -> None:
        """Write an act down, or lengthen the last one where it goes on."""
        described = TruthTarget(
            tag=target.tag,
            id=target.id,
            label=(target.label or target.text)[:200],
            box=self._placement.on_screen(target.box),
            kin=() if self._look is None else self._look.kin(target),
        )
        action = TruthAction(act=act, target=described, began=done.began, ended=done.ended)
        action = replace(action, **more)
        joined = None if self._open is None else _joined(self._open, action)
        if joined is None:
            self.finish()
        self._open = action if joined is None else joined


def option_row(popup: WindowBox, options: int, wanted: int) -> Box | None:
    """Return the row of an option in an opened list, or None where the list scrolls.

    All rows have one height; the frame round them is one pixel wide.
    """
    height = (popup.height - 2) / options
    if not _ROW_HEIGHTS[0] <= height <= _ROW_HEIGHTS[1]:
        return None
    top = popup.y + 1 + round(height * wanted)
    return Box(popup.x + 2, top, max(popup.width - 4, 1), int(height))


_ROW_HEIGHTS: Final = (10.0, 40.0)


def _joined(first: TruthAction, second: TruthAction) -> TruthAction | None:
    """Return one act for two that a person means as one, or None."""
    same = (first.act, first.target.tag, first.target.id) == (second.act, second.target.tag, second.target.id)
    if not same or first.act not in _JOINED or first.target.box != second.target.box:
        return None
    text = None if first.text is None or second.text is None else first.text + second.text
    return replace(first, ended=second.ended, dy=first.dy + second.dy, text=text)


def _has_focus(page: Page, target: Seen) -> bool:
    at = look_at(page).focused
    return at is not None and at.number == target.number


def _chosen(page: Page, target: Seen) -> int:
    return look_at(page).elements[target.number].chosen
