"""Oracles of tasks that are done by clicking: buttons, links, dialogs, boxes, tabs, folded sections."""

import re
from typing import Final

from understudy.demo.errors import OracleError
from understudy.demo.oracles.look import Look, Seen
from understudy.demo.oracles.steps import Click, Step

_QUOTED: Final = re.compile(r'"(.*)"')
_SELECT: Final = re.compile(r"Select (.*) and click Submit\.")


def click_button(look: Look) -> Step:
    """Click on the button that the instruction names."""
    return Click(target=look.first("button", text=quoted(look)))


def click_link(look: Look) -> Step:
    """Click on the link that the instruction names."""
    return Click(target=look.first("span", has="alink", text=quoted(look)))


def click_dialog(look: Look) -> Step:
    """Close the dialog by its cross."""
    return Click(target=look.first("button", has="ui-dialog-titlebar-close"))


def click_collapsible(look: Look) -> Step:
    """Unfold the section, then submit."""
    content = look.first(has="ui-accordion-content")
    if content.box[3] == 0:
        return Click(target=look.first("h3"))
    return submit(look)


def focus_text(look: Look) -> Step:
    """Click into the field."""
    return Click(target=look.first("input", dom_id="tt"))


def click_checkboxes(look: Look) -> Step:
    """Check every box that is named, then submit."""
    wanted = selected(look).split(", ")
    for label in look.all("label", below=look.first(dom_id="boxes")):
        box = _box_of(look, label)
        if box.checked != (label.text in wanted):
            return Click(target=box)
    return submit(look)


def click_option(look: Look) -> Step:
    """Choose the radio button that is named, then submit."""
    box = _box_of(look, look.first("label", text=selected(look), below=look.first(dom_id="boxes")))
    return submit(look) if box.checked else Click(target=box)


def click_tab(look: Look) -> Step:
    """Open the tab that is named."""
    found = re.search(r"Tab #(\d)", look.instruction)
    if found is None:
        raise OracleError("the instruction names no tab")
    return Click(target=look.first("a", text=found[0]))


def click_tab_2(look: Look) -> Step:
    """Open the tab that has the link, then follow the link."""
    link = look.first("span", has="alink", text=quoted(look))
    if link.seen:
        return Click(target=link)
    panel = look.nearest(link, has="ui-tabs-panel")
    if panel is None:
        raise OracleError("the link lies in no tab")
    tab = next((anchor for anchor in look.all("a") if anchor.href == f"#{panel.id}"), None)
    if tab is None:
        raise OracleError("the panel has no tab")
    return Click(target=tab)


def submit(look: Look) -> Step:
    """Click on the page's one submitting button."""
    return Click(target=look.find("button", dom_id="subbtn") or look.first("button", text="Submit"))


def quoted(look: Look) -> str:
    """Return what the instruction has in quotation marks.

    Raises:
        OracleError: nothing.
    """
    found = _QUOTED.search(look.instruction)
    if found is None:
        raise OracleError("the instruction has nothing in quotation marks")
    return found[1]


def selected(look: Look) -> str:
    """Return what the instruction says to select.

    Raises:
        OracleError: it does not say.
    """
    found = _SELECT.search(look.instruction)
    if found is None:
        raise OracleError("the instruction does not say what to select")
    return found[1]


def _box_of(look: Look, label: Seen) -> Seen:
    return look.first("input", below=label)
