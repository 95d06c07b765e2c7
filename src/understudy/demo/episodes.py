"""Which episodes are demonstrated, by whom: planned before anything runs, from a seed.

Rules

* Every participant does every task, ``rounds`` times, each time with another seed, and as many forms as any
  other: about equal work.
* Every string to plant is planted: strings are dealt to the forms of all participants in turn. Where there
  are fewer strings than places, they come round in other fields.
* Seeds are of the range for demonstrations alone, and no two episodes of a plan have the same.

Example

>>> first, second = plan(["zq1f3a5b7c9d"], seed=7, tasks=("click-button",), participants=2)
>>> sorted(episode.task for episode in first)
['click-button', 'customer-record', 'customer-record']
"""

import random
from collections.abc import Sequence
from typing import Final

from understudy.consent.primitives import Value
from understudy.demo.errors import PlanError
from understudy.demo.oracles import ORACLES
from understudy.demo.pages import CUSTOMER_RECORD, CUSTOMER_RECORD_PAGE
from understudy.demo.records import PLANTED_FIELDS, CustomerRecord, make_record
from understudy.learning.miniwob.seeds import SEEDS_EACH, Use, seeds
from understudy.learning.miniwob.tasks import task as task_named

DEMONSTRATED: Final = (
    "click-button",
    "click-link",
    "click-dialog",
    "click-checkboxes",
    "click-option",
    "click-tab-2",
    "enter-text",
    "login-user",
    "enter-password",
    "choose-list",
    "use-autocomplete",
    "navigate-tree",
    "email-inbox",
    "choose-date-easy",
)
"""The tasks of the demonstration: each kind at least once."""
FORMS_EACH: Final = 2
MAX_FORMS_EACH: Final = 4
"""With more strings than these take, comments get longer."""
_MAX_TITLE: Final = 200


class PlannedEpisode(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One episode to do; ``record`` for the demonstration's own form alone."""

    task: str
    seed: int
    page: str
    title: str
    record: CustomerRecord | None = None


def plan(
    canaries: Sequence[str],
    *,
    seed: int,
    tasks: Sequence[str] = DEMONSTRATED,
    participants: int = 2,
    rounds: int = 1,
) -> tuple[tuple[PlannedEpisode, ...], ...]:
    """Return the episodes of each participant, in their order.

    Args:
        canaries: strings to plant, at least one.
        seed: of everything random here.
        tasks: names of MiniWoB++ tasks that have an oracle.
        participants: how many people share the work.
        rounds: how often each does each task.

    Raises:
        PlanError: nothing to plant, nobody to do it, or a task without an oracle.
    """
    if not canaries or participants < 1:
        raise PlanError("a plan without strings to plant, or without people")
    for name in tasks:
        if name not in ORACLES:
            raise PlanError(f"no oracle knows the task {name[:60]!r}")
    rng = random.Random(f"plan {seed}")  # noqa: S311  what is made is synthetic
    wanted = -(-len(canaries) // (len(PLANTED_FIELDS) * participants))
    forms = min(max(wanted, FORMS_EACH), MAX_FORMS_EACH)
    records = _records(canaries, forms * participants, rng)
    start = rng.randrange(SEEDS_EACH)
    count = participants * (rounds * len(tasks) + forms)
    numbers = seeds(Use.DEMONSTRATION, start=start, count=count)
    plans = []
    for person in range(participants):
        done = [_task(name, next(numbers)) for _ in range(rounds) for name in tasks]
        done += [_form(record, next(numbers)) for record in records[person::participants]]
        rng.shuffle(done)
        plans.append(tuple(done))
    return tuple(plans)


def planted_in(episodes: Sequence[PlannedEpisode]) -> frozenset[str]:
    """Return the strings that these episodes plant."""
    found = (episode.record.planted for episode in episodes if episode.record is not None)
    return frozenset[str]().union(*found)


def _records(canaries: Sequence[str], count: int, rng: random.Random) -> list[CustomerRecord]:
    """Return records that share the strings out; each turn begins with another one."""
    shares: list[list[str]] = [list(canaries[number::count]) for number in range(count)]
    for number, share in enumerate(shares):
        turn = 0
        while len(share) < min(len(PLANTED_FIELDS), len(canaries)):
            more = canaries[(number + turn) % len(canaries)]
            turn += 1
            if more not in share:
                share.append(more)
        rng.shuffle(share)
    return [make_record(share, rng=rng, forbidden=canaries) for share in shares]


def _task(name: str, seed: int) -> PlannedEpisode:
    return PlannedEpisode(task=name, seed=seed, page=task_named(name).page, title=f"Practice: {name}")


def _form(record: CustomerRecord, seed: int) -> PlannedEpisode:
    title = f"New customer {record.full_name}"
    if len(title) > _MAX_TITLE:
        title = "New customer"  # half a planted string would be found by nobody
    return PlannedEpisode(
        task=CUSTOMER_RECORD, seed=seed, page=CUSTOMER_RECORD_PAGE, title=title, record=record
    )
