"""A display says what it shows, waits no longer than asked, and refuses what it cannot do."""

import time

import pytest

from understudy.demo.display import KEY_PRESS, MOTION, Display
from understudy.demo.errors import HandsError


def test_the_pointer_goes_where_it_is_sent(display: Display) -> None:
    for x, y in ((5, 7), (1279, 799)):
        display.fake(MOTION, x=x, y=y)
        assert display.pointer() == (x, y)


def test_input_that_the_server_refuses_is_an_error(display: Display) -> None:
    with pytest.raises(HandsError):
        display.fake(KEY_PRESS, 3)  # below the smallest keycode
    assert display.pointer()


def test_a_property_that_never_comes_is_not_waited_for_longer(display: Display) -> None:
    began = time.monotonic()
    assert not display.wait_for_property("_UNDERSTUDY_NONE", seconds=0.2)
    assert 0.15 < time.monotonic() - began < 2
    assert display.wait_for_property("_NET_SUPPORTING_WM_CHECK", seconds=5)


def test_an_empty_desktop_has_no_popups_and_a_map_of_all_keys(display: Display) -> None:
    assert display.popups() == ()
    held = display.key_map()
    assert held.first + len(held.rows) - 1 <= 255
    assert display.modifier_keycodes() <= set(range(held.first, held.first + len(held.rows)))


def test_a_closed_display_can_be_closed_again(display: Display) -> None:
    again = Display(display.name)
    again.close()
    again.close()
