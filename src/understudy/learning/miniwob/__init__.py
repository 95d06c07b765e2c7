"""The MiniWoB++ pages: served on loopback, started with a seed, scored by their own reward.

Rules

* The pages are those of the installed package ``miniwob`` (MIT), which is found but never imported: its
  environment would pull in a browser driver.
* A page is served as it is, but for one style that hides what surrounds a task: reward, clock, START cover,
  click trace. Nobody demonstrates, learns or is evaluated with those in sight.
* Demonstration, tuning and reported seeds never meet: see ``seeds.py``.

Farama MiniWoB++: https://miniwob.farama.org/
"""

from understudy.learning.miniwob.episode import Episode, Outcome
from understudy.learning.miniwob.server import PageServer
from understudy.learning.miniwob.tasks import TASKS, Task

__all__ = ["TASKS", "Episode", "Outcome", "PageServer", "Task"]
