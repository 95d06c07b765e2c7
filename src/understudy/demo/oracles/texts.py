"""Oracles of tasks with fields: text, secrets, lists, completion, dates."""

import re
from datetime import UTC, datetime
from typing import Final

from understudy.demo.errors import OracleError
from understudy.demo.oracles.clicks import quoted, submit
from understudy.demo.oracles.look import Look
from understudy.demo.oracles.steps import Choose, Click, Fill, Press, Secret, Step

_LOGIN: Final = re.compile(r'username "(.*)" and the password "(.*)" into')
_FROM_LIST: Final = re.compile(r"Select (.*) from the list")
_STARTS: Final = re.compile(r'starts with "(.*?)"(?: and ends with "(.*)")?\.$')
_DATE: Final = re.compile(r"(\d\d)/(\d\d)/(\d{4})")
_TIME: Final = re.compile(r"Enter (\d+:\d\d)\s?([AP]M) as")


def enter_text(look: Look) -> Step:
    """Type what is quoted, then submit."""
    field = look.first("input", dom_id="tt")
    wanted = quoted(look)
    return submit(look) if field.value == wanted else Fill(target=field, text=wanted)


def enter_password(look: Look) -> Step:
    """Type the secret into both fields, then submit."""
    wanted = quoted(look)
    for name in ("password", "verify"):
        field = look.first("input", dom_id=name)
        if field.value != wanted:
            return Secret(target=field, text=wanted, shown=True)
    return submit(look)


def login_user(look: Look) -> Step:
    """Type name and password, then log in."""
    found = _LOGIN.search(look.instruction)
    if found is None:
        raise OracleError("the instruction has no name and password")
    name = look.first("input", dom_id="username")
    if name.value != found[1]:
        return Fill(target=name, text=found[1])
    secret = look.first("input", dom_id="password")
    return submit(look) if secret.value == found[2] else Secret(target=secret, text=found[2], shown=True)


def choose_list(look: Look) -> Step:
    """Choose from the native list, then submit."""
    found = _FROM_LIST.search(look.instruction)
    if found is None:
        raise OracleError("the instruction names no option")
    field = look.first("select")
    if field.options[field.chosen : field.chosen + 1] == (found[1],):
        return submit(look)
    return Choose(target=field, option=found[1])


def use_autocomplete(look: Look) -> Step | None:
    """Type the beginning, take a fitting entry from the list that opens, then submit."""
    found = _STARTS.search(look.instruction)
    if found is None:
        raise OracleError("the instruction says no beginning")
    start, end = found[1], found[2] or ""
    field = look.first("input", dom_id="tags")
    if field.value.startswith(start) and field.value.endswith(end) and field.value != start:
        return submit(look)
    if not field.value.startswith(start):
        return Fill(target=field, text=start)
    fits = [
        entry
        for entry in look.all("li", has="ui-menu-item")
        if entry.text.startswith(start) and entry.text.endswith(end)
    ]
    shown = next((entry for entry in fits if entry.seen), None)
    if shown is not None:
        return Click(target=shown)
    if fits and not fits[0].box[3]:
        return Press(target=field, key="ArrowDown")  # the list has closed again
    if fits and len(field.value) < len(fits[0].text):
        return Fill(target=field, text=fits[0].text[: len(field.value) + 2], adds=True)
    return None


def choose_date_easy(look: Look) -> Step | None:
    """Open the calendar, choose the day, then submit."""
    month, day, year = _date(look)
    field = look.first("input", dom_id="datepicker")
    if field.value == f"{month}/{day}/{year}":
        button = submit(look)
        return button if button.target.seen else None  # the calendar is still closing over it
    days = look.find("a", has="ui-state-default", text=str(int(day)))
    return Click(target=field) if days is None or not days.box[3] else Click(target=days)


def enter_date(look: Look) -> Step:
    """Type the date into the native field, digit by digit, then submit."""
    month, day, year = _date(look)
    field = look.first("input", dom_id="tt")
    wanted = f"{year}-{month}-{day}"
    if field.value == wanted:
        return submit(look)
    return Fill(target=field, text=wanted, keys=f"{month}{day}{year}")


def enter_time(look: Look) -> Step:
    """Type the time into the native field, then submit."""
    found = _TIME.search(look.instruction)
    if found is None:
        raise OracleError("the instruction says no time")
    at = datetime.strptime(f"{found[1]} {found[2]}", "%I:%M %p").replace(tzinfo=UTC)
    field = look.first("input", dom_id="tt")
    if field.value == at.strftime("%H:%M"):
        return submit(look)
    return Fill(target=field, text=at.strftime("%H:%M"), keys=at.strftime("%I%M%p"))


def search_engine(look: Look) -> Step | None:
    """Search, turn to the page of the result, then follow it."""
    term, place = look.bold[0], int(re.sub(r"\D", "", look.bold[1]))
    field = look.first("input", dom_id="search-text")
    if field.value != term:
        return Fill(target=field, text=term)
    titles = [link for link in look.all("a", has="search-title") if link.seen]
    if not titles:
        # A form of one field: people press Enter, this page wants its button.
        return Click(target=look.first("button", dom_id="search"))
    wanted_page = str((place - 1) // 3 + 1)
    active = look.find("li", has="active")
    if active is None or active.text != wanted_page:
        return Click(target=look.first("a", has="page-link", text=wanted_page))
    return Click(target=titles[(place - 1) % 3])


def _date(look: Look) -> tuple[str, str, str]:
    found = _DATE.search(look.instruction)
    if found is None:
        raise OracleError("the instruction says no date")
    return found[1], found[2], found[3]
