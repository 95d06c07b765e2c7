"""What a synthetic person knows: for each task, the next step, read from the page and its instruction.

Rules

* An oracle is a pure function of a look at the page. It is asked again after every step; None means that
  the page is still busy.
* An oracle says what to do, never how a hand moves; nothing of it reaches the page but through hands.

Example

>>> sorted(ORACLES)[:3]
['choose-date-easy', 'choose-list', 'click-button']
"""

from collections.abc import Callable, Mapping
from typing import Final

from understudy.demo.oracles import clicks, places, texts
from understudy.demo.oracles.look import Look
from understudy.demo.oracles.steps import Step

Oracle = Callable[[Look], Step | None]

ORACLES: Final[Mapping[str, Oracle]] = {
    "choose-date-easy": texts.choose_date_easy,
    "choose-list": texts.choose_list,
    "click-button": clicks.click_button,
    "click-checkboxes": clicks.click_checkboxes,
    "click-collapsible": clicks.click_collapsible,
    "click-dialog": clicks.click_dialog,
    "click-link": clicks.click_link,
    "click-menu": places.click_menu,
    "click-option": clicks.click_option,
    "click-tab": clicks.click_tab,
    "click-tab-2": clicks.click_tab_2,
    "email-inbox": places.email_inbox,
    "email-inbox-delete": places.email_inbox,
    "email-inbox-reply": places.email_inbox,
    "enter-date": texts.enter_date,
    "enter-password": texts.enter_password,
    "enter-text": texts.enter_text,
    "enter-time": texts.enter_time,
    "focus-text": clicks.focus_text,
    "login-user": texts.login_user,
    "navigate-tree": places.navigate_tree,
    "search-engine": texts.search_engine,
    "social-media": places.social_media,
    "use-autocomplete": texts.use_autocomplete,
}
"""The oracle of each MiniWoB++ task that is demonstrated."""
