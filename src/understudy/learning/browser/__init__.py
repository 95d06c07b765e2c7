"""A real Chromium on a pipe: started, driven and read without any library for it.

Rules

* The browser is reached by the pipe it was started with, never by a port: nobody else can connect.
* Each browser has its own empty profile, which goes with it.
* Every call ends: with an answer, a typed error, or a timeout.
* One thread uses one browser.

The page's tree comes from the browser's own accessibility tree: ``page_tree`` in ``tree.py``.
"""

from understudy.learning.browser.chromium import Chromium
from understudy.learning.browser.page import Page
from understudy.learning.browser.tree import page_tree

__all__ = ["Chromium", "Page", "page_tree"]
