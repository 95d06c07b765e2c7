"""Oracles of tasks with somewhere to go first: menus, trees, mail, posts."""

import re
from typing import Final

from understudy.demo.errors import OracleError
from understudy.demo.oracles.clicks import quoted
from understudy.demo.oracles.look import Look, Seen
from understudy.demo.oracles.steps import Click, Fill, Hover, Scroll, Step

_NOTCHES: Final = 1
_MENU: Final = re.compile(r"Select (.*)$")
_LABELS: Final = {"Reply": "reply", "Retweet": "retweet", "Like": "like"}


def click_menu(look: Look) -> Step | None:
    """Go through the levels of a menu by resting on each, then click."""
    found = _MENU.search(look.instruction)
    if found is None:
        raise OracleError("the instruction names no entry")
    path = found[1].split(">")
    for name, after in zip(path, [*path[1:], None], strict=True):
        entry = _entry(look, name)
        if after is None:
            return Click(target=entry) if entry.seen else None
        if not _entry(look, after).seen:
            return Hover(target=entry) if entry.seen else None
    return None


def navigate_tree(look: Look) -> Step | None:
    """Open folders until the entry shows, then click it."""
    name = quoted(look)
    tree = look.first("ul", dom_id="tree")
    wanted = look.first("span", text=name, below=tree)
    if wanted.seen:
        return Click(target=wanted)
    closed = [step for step in look.above(wanted) if step.tag == "li" and look.is_below(step, tree)]
    for folder in reversed(closed):
        head = look.first("span", has="folder", below=folder)
        inside = next((step for step in look.all("ul", below=folder)), None)
        if head.seen and inside is not None and not inside.box[3]:
            return Click(target=head)
    return None


def email_inbox(look: Look) -> Step | None:
    """Find the mail, then delete, mark, answer or forward it."""
    sender = look.bold[0]
    text = look.first(dom_id="query").text
    if "trash icon" in text or "star icon" in text:
        mark = "trash" if "trash icon" in text else "star"
        return _in_sight(look, look.first("span", has=mark, below=_mail(look, sender)), "main")
    if look.find(dom_id="email") is None:
        return _in_sight(look, look.first(has="email-sender", below=_mail(look, sender)), "main")
    if "forward" in text:
        return _send(look, look.bold[1], field="forward-sender", send="send-forward", open_by="email-forward")
    return _send(look, look.bold[1], field="reply-text", send="send-reply", open_by="email-reply")


def social_media(look: Look) -> Step | None:
    """Find the post, then click its button or an entry of its menu."""
    user, action = look.bold
    name = look.first("span", has="username", text=user)
    post = look.nearest(name, has="media")
    if post is None:
        raise OracleError("the name stands in no post")
    if action in _LABELS:
        return _in_sight(look, look.first("span", has=_LABELS[action], below=post), "area")
    entry = next((each for each in look.all("li", below=post) if each.text.startswith(action)), None)
    if entry is not None and entry.box[3]:
        return _in_sight(look, entry, "area")
    return _in_sight(look, look.first("span", has="more", below=post), "area")


def _entry(look: Look, name: str) -> Seen:
    """Return the line of a menu's entry, without what opens from it."""
    entry = next(
        (each for each in look.all("li", has="ui-menu-item") if _line(look, each).text == name), None
    )
    if entry is None:
        raise OracleError("the menu has no such entry")
    return _line(look, entry)


def _line(look: Look, entry: Seen) -> Seen:
    return look.first("div", below=entry)


def _mail(look: Look, sender: str) -> Seen:
    main = look.first(dom_id="main")
    for mail in look.all(has="email-thread", below=main):
        if look.first(has="email-sender", below=mail).text == sender:
            return mail
    raise OracleError("there is no mail by that sender")


def _send(look: Look, text: str, *, field: str, send: str, open_by: str) -> Step | None:
    """Write and send, once the window for it is open."""
    box = look.find(dom_id=field) or look.find(has=field)
    if box is None:
        return _in_sight(look, look.first(has=open_by), "email")
    if box.value != text:
        return Fill(target=box, text=text)
    return Click(target=look.first(dom_id=send))


def _in_sight(look: Look, target: Seen, scrolled: str) -> Step | None:
    """Return the click on an element, or a turn of the wheel that brings it nearer."""
    if target.seen:
        return Click(target=target)
    area = look.first(dom_id=scrolled)
    if not target.box[3]:
        return None
    middle = area.box[1] + area.box[3] / 2
    return Scroll(target=area, notches=_NOTCHES if target.box[1] > middle else -_NOTCHES)
