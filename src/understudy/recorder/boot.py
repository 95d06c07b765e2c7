"""The boot clock: milliseconds since the machine started, asleep or awake.

Rules

* Deadlines of capture run on it: setting the calendar changes nothing, and time asleep counts.
* It is the same for all processes of a machine, so that a deadline can be handed from one to another.

Example

>>> boot_ms() <= boot_ms()
True
"""

import time


def boot_ms() -> int:
    """Return the milliseconds since the machine started (``CLOCK_BOOTTIME``)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
