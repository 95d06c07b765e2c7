"""Pages of the demonstration's own, beside MiniWoB++'s: they ask for personal data and secrets.

Rules

* They keep the contract of ``learning.miniwob.episode`` and load nothing but MiniWoB++'s ``core.js``.
* What is to be entered is planted strings and data made from a seed. No person is behind any of it.
"""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
"""To be served under ``NAME``."""
NAME: Final = "own"
CUSTOMER_RECORD: Final = "customer-record"
"""The task, and its page."""
CUSTOMER_RECORD_PAGE: Final = f"{NAME}/{CUSTOMER_RECORD}.html"
