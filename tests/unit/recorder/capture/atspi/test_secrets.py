"""Fields for secrets, in a real browser and in a real GTK program."""

import asyncio
from functools import partial

import msgspec
import pytest

from tests.unit.recorder.capture.atspi.conftest import Eyes, Site, act, live
from understudy.demo.desktop import Desktop
from understudy.demo.hands import Hands
from understudy.formats.elements import Role
from understudy.learning.browser import Chromium
from understudy.recorder.capture.atspi import spi
from understudy.recorder.capture.atspi.bus import Peer
from understudy.recorder.capture.observed import Security

SECRET = "Zq9xWv7kTn"
LOGIN = """
<label for=user>User</label> <input id=user><br>
<label for=pw>Password</label> <input type=password id=pw><br>
<label>Both <input type=checkbox id=both> <input type=password id=inside value="%s"></label><br>
<button id=show onclick="for (const f of [pw, inside]) f.type = 'text'">Show</button>
<button id=send>Send</button>
""" % ("Hq" + SECRET)


def everything_told(eyes: Eyes) -> bytes:
    """Return all text that was passed on, frames left aside."""
    trees = [shot.tree for shot in eyes.snapshots if shot.tree is not None]
    return msgspec.json.encode([trees, [page.title for page in eyes.pages if page is not None]])


def test_a_password_is_never_passed_on_even_when_it_is_shown(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    browser.page.navigate(site.page("Login", LOGIN))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Login")
        await act(hands.click, eyes.box(id="pw"))
        await eyes.security(Security.SECURE)
        await act(hands.write, SECRET, slips=False)
        await act(hands.click, eyes.box(id="show"))
        await eyes.security(Security.PLAIN)
        assert browser.page.evaluate("pw.type + pw.value") == "text" + SECRET
        await eyes.is_quiet()
        shown = eyes.find(id="pw")
        assert shown.is_secure
        assert shown.value is None
        assert shown.name == "Password"
        await act(hands.click, eyes.box(id="pw"))
        await eyes.security(Security.SECURE)
        await act(hands.write, "more", slips=False)
        await eyes.is_quiet()
        told = everything_told(eyes)
        assert SECRET.encode() not in told
        assert SECRET[:4].encode() not in told
        assert "\u2022".encode() not in told
        assert eyes.find(id="both").name == ""

        # The control: the bus would have given it away to anyone who asks.
        reader = eyes.accessibility.reader
        assert reader is not None
        page = eyes.pages[-1]
        assert page is not None
        reading = await reader.read(page)
        assert reading is not None
        (peer,) = [p for p, node in reading.nodes.items() if node.attributes.get("id") == "pw"]
        assert SECRET[:6] in await reader.connection.call(peer, spi.GET_TEXT)
        (both,) = [p for p, node in reading.nodes.items() if node.attributes.get("id") == "both"]
        assert len(await reader.connection.call(both, spi.GET_NAME)) > len("Both Hq")

    live(eyes, story)


def test_a_field_that_turns_secret_under_the_typing_is_noticed(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    late = "<input id=f oninput=\"f.type = 'password'\">"
    browser.page.navigate(site.page("Late", late))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Late")
        await act(hands.click, eyes.box(id="f"))
        await eyes.security(Security.PLAIN)
        await act(hands.write, "a", slips=False)
        await eyes.security(Security.SECURE, seconds=1.0)

    live(eyes, story)


def test_the_successor_of_a_secret_field_is_secret(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    swap = """<div id=here><input type=password id=pw></div><button id=swap
      onclick="here.innerHTML = '<input id=pw value=shown>'">Show</button>"""
    browser.page.navigate(site.page("Swap", swap))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Swap")
        await act(hands.click, eyes.box(id="swap"))
        await eyes.is_quiet()
        assert browser.page.evaluate("pw.type") == "text"
        assert eyes.find(id="pw").is_secure
        await act(hands.click, eyes.box(id="pw"))
        await eyes.security(Security.SECURE)
        assert b"shown" not in everything_told(eyes)

    live(eyes, story)


def test_the_focus_is_known_within_a_tenth_of_a_second(
    eyes: Eyes, browser: Chromium, site: Site, hands: Hands
) -> None:
    fields = "".join(f"<input id=f{n} type={'password' if n % 2 else 'text'}>" for n in range(30))
    browser.page.navigate(site.page("Tabs", fields))

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Tabs")
        await act(hands.click, eyes.box(id="f0"))
        await eyes.security(Security.PLAIN)
        late = []
        for n in range(1, 30):
            count = len(eyes.focused)
            pressed = await act(hands.press, "Tab")
            wanted = Security.SECURE if n % 2 else Security.PLAIN
            await eyes.until(
                lambda: len(eyes.focused) > count and eyes.focused[-1].security is wanted  # noqa: B023
            )
            late.append(eyes.focused[-1].time - pressed)
            assert Security.UNKNOWN in {word.security for word in eyes.focused[count:]}
        assert sorted(late)[int(len(late) * 0.95)] <= 100

    live(eyes, story)


@pytest.mark.parametrize(
    ("option", "security"), [("--entry", Security.PLAIN), ("--password", Security.SECURE)]
)
def test_a_dialog_of_another_toolkit_is_read_and_judged(
    eyes: Eyes, browser: Chromium, desktop: Desktop, hands: Hands, option: str, security: Security
) -> None:
    dialog = desktop.start("zenity", option, f"--title=Dialog {option}", "--text=Type here")

    async def story(eyes: Eyes) -> None:
        await eyes.until(lambda: eyes.pages and eyes.pages[-1] is not None and not eyes.pages[-1].is_web)
        await eyes.until(lambda: Role.BUTTON in {element.role for element in eyes.tree.elements})
        assert eyes.tree.elements[0].role in (Role.WINDOW, Role.DIALOG)
        assert {"OK", "Cancel"} <= {element.name for element in eyes.tree.elements}
        await eyes.security(security)
        await act(hands.write, SECRET, slips=False)
        await eyes.is_quiet()
        assert (SECRET.encode() in everything_told(eyes)) == (security is Security.PLAIN)

    try:
        live(eyes, story)
    finally:
        dialog.stop()


def test_nothing_is_known_of_a_terminal(eyes: Eyes, browser: Chromium, desktop: Desktop) -> None:
    terminal = desktop.start("xterm")

    async def story(eyes: Eyes) -> None:
        await eyes.until(lambda: eyes.window and "xterm" in eyes.window.application)
        await asyncio.sleep(0.2)
        assert eyes.accessibility.security is Security.UNKNOWN

    try:
        live(eyes, story)
    finally:
        terminal.stop()


def test_a_focus_counts_only_in_the_active_window(eyes: Eyes, browser: Chromium, site: Site) -> None:
    browser.page.navigate(site.page("Own", "<input id=a autofocus>"))

    async def story(eyes: Eyes) -> None:
        await eyes.security(Security.PLAIN)
        eyes.accessibility.attend(None)
        await eyes.security(Security.UNKNOWN)
        window = eyes.window
        assert window is not None
        eyes.accessibility.attend(msgspec.structs.replace(window, pid=1))
        await asyncio.sleep(0.1)
        assert eyes.accessibility.security is Security.UNKNOWN
        eyes.accessibility.attend(window)
        await eyes.security(Security.PLAIN)

    live(eyes, story)


def test_peers_are_told_apart_by_their_connection() -> None:
    assert Peer(":1.5", "/1") != Peer(":1.6", "/1")


def test_a_label_around_a_secret_that_was_scrolled_away_takes_no_name_from_others(
    eyes: Eyes, browser: Chromium, site: Site
) -> None:
    body = f"""<label>Both <input type=checkbox> <input type=password value={SECRET}></label>
    <label for=town>Town</label><div style="height:3000px"></div><input id=town>"""
    browser.page.navigate(site.page("Scrolled", body))

    def has(said: str) -> bool:
        elements = eyes.tree.elements
        return any(one.name == said for one in elements) and any(one.id == "town" for one in elements)

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Scrolled")
        browser.page.evaluate("(scrollTo(0, 9999), true)")
        await eyes.until(lambda: eyes.find(id="town"))
        for said in ("more", "and more"):  # the first reading after the label went still asks for its text
            added = f"town.insertAdjacentHTML('beforebegin', '<p>{said}</p>')"
            browser.page.evaluate(f"({added}, scrollTo(0, 9999), true)")
            await eyes.until(partial(has, said))
        assert [one.role for one in eyes.tree.elements if one.role is Role.LABEL] == []
        assert eyes.find(id="town").name == "Town"

    live(eyes, story)
