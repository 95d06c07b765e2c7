"""Does what docs/start.md asks its reader to do by hand: fills in the page, by real keys.

Run as ``python hands.py DEVICE CANARIES``, with the desktop's environment, once recorder and browser have
been started.
"""

import os
import random
import sys
from pathlib import Path

from understudy.demo.display import Display
from understudy.demo.hands import Hands, wait_until
from understudy.demo.keys import Keys
from understudy.formats.screen import Screen
from understudy.recorder.control import ControlClient

PASSWORD = "sunflower71"


def main(device: Path, canaries: Path) -> int:
    """Type the canary and a password, and press the button."""
    control = ControlClient(device)
    if not wait_until(lambda: control.status().state == "recording", seconds=60, step=0.2):
        sys.stderr.write(f"the page is not recorded: {control.status().state}\n")
        return 1
    with Display(os.environ["DISPLAY"]) as display:
        hands = Hands(display, Keys(display), screen=Screen(width=1280, height=800), rng=random.Random(1))
        hands.pause(1_500, 1_500)  # a person reads the page first
        hands.write(canaries.read_text().splitlines()[0], slips=False)
        hands.press("Tab")
        hands.pause(500, 500)
        hands.write(PASSWORD, slips=False)
        hands.press("Tab")
        hands.pause(500, 500)
        hands.press("Enter")
        hands.pause(1_500, 1_500)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
