"""What a person sees on a page: its elements, read by a script that changes nothing.

Rules

* Boxes are pixels of the page, from its top left corner. ``aim`` is the part of the widest line that is not
  clipped: where a person would point. ``seen`` means that nothing else lies over its middle.
* Texts have their spaces made one. ``text`` is all of an element's text, shown or not.
* Elements are in document order; ``parent`` is a place in the same list.

Example

>>> place = (0.0, 0.0, 80.0, 20.0)
>>> button = Seen(number=0, parent=-1, tag="button", text="Send", box=place, aim=place, seen=True)
>>> Look(instruction="Press Send.", bold=(), elements=(button,)).first("button", text="Send").tag
'button'
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, TypedDict, Unpack

import msgspec

from understudy.demo.errors import OracleError
from understudy.learning.browser import Page

_KIN_LEVELS: Final = 2
Rectangle = tuple[float, float, float, float]
"""x, y, width, height in pixels of the page."""

_SCRIPT: Final = r"""(() => {
  const clean = text => (text || '').replace(/\s+/g, ' ').trim();
  const every = [...document.body.querySelectorAll('*')];
  const nodes = every.filter(node => !node.closest('script, style, svg *'));
  const places = new Map(nodes.map((node, place) => [node, place]));
  const shape = rect => [rect.x, rect.y, rect.width, rect.height];
  const clip = (rect, node) => {
    let [left, top, right, bottom] = [rect.left, rect.top, rect.right, rect.bottom];
    const cut = (a, b, c, d) => {
      [left, top] = [Math.max(left, a), Math.max(top, b)];
      [right, bottom] = [Math.min(right, c), Math.min(bottom, d)];
    };
    cut(0, 0, innerWidth, innerHeight);
    for (let above = node.parentElement; above && above !== document.body; above = above.parentElement) {
      if (getComputedStyle(above).overflow === 'visible') continue;
      const box = above.getBoundingClientRect();
      cut(box.left, box.top, box.left + above.clientWidth, box.top + above.clientHeight);
    }
    return {x: left, y: top, width: right - left, height: bottom - top};
  };
  const wider = (best, rect) => (best && best.width >= rect.width ? best : rect);
  const widest = rects => rects.reduce(wider, null);
  const large = rect => rect.width > 0 && rect.height > 0;
  const look = (node, number) => {
    const whole = widest([...node.getClientRects()].filter(large));
    const aim = whole ? clip(whole, node) : null;
    let seen = false;
    if (aim && large(aim)) {
      const hit = document.elementFromPoint(aim.x + aim.width / 2, aim.y + aim.height / 2);
      seen = hit !== null && node.contains(hit);
    }
    const labels = node.labels && node.labels.length ? node.labels[0].textContent : '';
    return {
      number, parent: places.has(node.parentElement) ? places.get(node.parentElement) : -1,
      tag: node.localName, id: node.id || '', classes: [...node.classList],
      text: clean(node.textContent), value: typeof node.value === 'string' ? node.value : '',
      kind: typeof node.type === 'string' ? node.type : '', checked: node.checked === true,
      options: node.localName === 'select' ? [...node.options].map(option => clean(option.text)) : [],
      chosen: node.localName === 'select' ? node.selectedIndex : -1,
      label: clean(labels || node.getAttribute('aria-label')), href: node.getAttribute('href') || '',
      focused: document.activeElement === node, tabbable: node.tabIndex >= 0 && !node.disabled,
      box: whole ? shape(node.getBoundingClientRect()) : [0, 0, 0, 0],
      aim: aim ? shape(aim) : [0, 0, 0, 0], seen,
    };
  };
  const query = document.getElementById('query');
  return {
    instruction: clean(query ? query.textContent : ''),
    bold: query ? [...query.querySelectorAll('.bold')].map(node => node.textContent) : [],
    elements: nodes.map(look),
  };
})()"""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One element."""

    number: int
    parent: int
    tag: str
    box: Rectangle
    aim: Rectangle
    seen: bool
    id: str = ""
    classes: tuple[str, ...] = ()
    text: str = ""
    value: str = ""
    kind: str = ""
    checked: bool = False
    options: tuple[str, ...] = ()
    chosen: int = -1
    label: str = ""
    href: str = ""
    focused: bool = False
    tabbable: bool = False


class Like(TypedDict, total=False):
    """What an element may be asked to be: its DOM id, a class of it, its whole text, what it lies below."""

    dom_id: str
    has: str
    text: str
    below: Seen


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A page at one moment. ``bold`` are the emphasized parts of the instruction, exactly as written."""

    instruction: str
    bold: tuple[str, ...]
    elements: tuple[Seen, ...]

    def all(self, tag: str = "", **like: Unpack[Like]) -> Iterator[Seen]:
        """Yield the elements of a tag that are like what is asked for."""
        below = like.get("below")
        for element in self.elements:
            if tag and element.tag != tag:
                continue
            if like.get("dom_id", element.id) != element.id or like.get("text", element.text) != element.text:
                continue
            if "has" in like and like["has"] not in element.classes:
                continue
            if below is None or self.is_below(element, below):
                yield element

    def find(self, tag: str = "", **like: Unpack[Like]) -> Seen | None:
        """Return the first such element that can be seen, or else the first at all, or None."""
        found = list(self.all(tag, **like))
        return next((element for element in found if element.seen), found[0] if found else None)

    def first(self, tag: str = "", **like: Unpack[Like]) -> Seen:
        """Return what ``find`` finds.

        Raises:
            OracleError: there is no such element.
        """
        found = self.find(tag, **like)
        if found is None:
            asked = " ".join(word for word in (tag, like.get("dom_id"), like.get("has")) if word)
            raise OracleError(f"the page has no such element: {asked}")
        return found

    def is_below(self, element: Seen, above: Seen) -> bool:
        """Return whether an element lies below another in the tree."""
        return any(step.number == above.number for step in self.above(element))

    def above(self, element: Seen) -> Iterator[Seen]:
        """Yield the elements above one, from its parent up."""
        at = element.parent
        while at >= 0:
            yield self.elements[at]
            at = self.elements[at].parent

    def nearest(self, element: Seen, *, has: str = "", tag: str = "") -> Seen | None:
        """Return the nearest element above of a class or tag, or None."""
        for step in self.above(element):
            if (not has or has in step.classes) and (not tag or step.tag == tag):
                return step
        return None

    def kin(self, element: Seen) -> tuple[str, ...]:
        """Return the tags of the elements near above and below that share the middle of one, sorted."""
        x, y = element.aim[0] + element.aim[2] / 2, element.aim[1] + element.aim[3] / 2
        near = [step for step, _ in zip(self.above(element), range(_KIN_LEVELS), strict=False)]
        near += list(self.all(below=element))
        tags = {step.tag for step in near if _contains(step.box, x, y)}
        return tuple(sorted(tags - {element.tag}))

    @property
    def focused(self) -> Seen | None:
        """The element that has the focus, if one has."""
        return next((element for element in self.elements if element.focused), None)

    def follows_focus(self, element: Seen) -> bool:
        """Return whether the Tab key would go from the focused element to this one."""
        at = self.focused
        if at is None or not at.tabbable:
            return False
        shown = [step.number for step in self.elements if step.tabbable and step.box[2] > 0]
        return (at.number, element.number) in pairwise(shown)


def _contains(box: Rectangle, x: float, y: float) -> bool:
    return box[0] <= x < box[0] + box[2] and box[1] <= y < box[1] + box[3]


def look_at(page: Page) -> Look:
    """Return what the page shows now.

    Raises:
        OracleError: the page is none that can be looked at.
    """
    try:
        return msgspec.convert(page.evaluate(_SCRIPT), Look, strict=False)
    except msgspec.ValidationError as error:
        raise OracleError("the page does not describe itself") from error
