"""Planted canaries: none survives, in any stream; and each check notices when its guard is taken away."""

import contextlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from tests.unit.redaction.planting import CHECKS, Make, Survived
from understudy.formats.picture import Picture, PlacedPicture
from understudy.redaction import cleaning, entities, pixels, redactor
from understudy.redaction.entities import Entities
from understudy.redaction.folding import View
from understudy.redaction.kinds import ALL_LAYERS, Layer
from understudy.redaction.redactor import Redactor
from understudy.redaction.surrogate import Surrogate


def without(layer: Layer) -> Make:
    return lambda key: Redactor(key, layers=ALL_LAYERS - {layer})


def explained_last(frame: PlacedPicture, trees: Iterable[Any], *, is_masked: bool = False) -> PlacedPicture:
    """Mask as ever, then copy what is explained over it."""
    trees = list(trees)
    clean = pixels.masked(frame, trees, is_masked=is_masked)
    before = np.frombuffer(frame.picture.rgb, np.uint8).reshape(frame.picture.height, frame.picture.width, 3)
    after = np.frombuffer(clean.picture.rgb, np.uint8).reshape(before.shape).copy()
    for tree, dirty in trees:
        shown = pixels._explained(frame, tree, dirty)  # noqa: SLF001 - the fault is built from the parts
        after[shown] = before[shown]
    size = frame.picture
    return PlacedPicture(
        x=frame.x, y=frame.y, picture=Picture(width=size.width, height=size.height, rgb=after.tobytes())
    )


FAULTS: dict[str, tuple[str, Callable[[], AbstractContextManager[object]], Make]] = {
    "without-structure": ("labelled_fields", contextlib.nullcontext, without(Layer.STRUCTURE)),
    "without-patterns": ("shapes", contextlib.nullcontext, without(Layer.PATTERNS)),
    "without-propagation": ("labelled_fields", contextlib.nullcontext, without(Layer.PROPAGATION)),
    "without-special": ("special", contextlib.nullcontext, without(Layer.SPECIAL)),
    "without-pixels": ("labelled_fields", contextlib.nullcontext, without(Layer.PIXELS)),
    "without-beginnings": ("beginnings", contextlib.nullcontext, lambda key: Redactor(key, prefixes=False)),
    "without-places": ("places", contextlib.nullcontext, lambda key: Redactor(key, sticky=False)),
    "case-sensitive": (
        "case",
        lambda: patch.multiple(entities, SQUEEZED=View(str), BARE=View(str)),
        Redactor,
    ),
    "without-parts": ("parts", lambda: patch.object(entities, "_parts", lambda *_: ()), Redactor),
    "masks-before-explained": ("overlap", lambda: patch.object(redactor, "masked", explained_last), Redactor),
    "pictures-explained": ("unexplained", lambda: patch.object(pixels, "OPAQUE", frozenset()), Redactor),
    "surrogate-is-the-entity": (
        "labelled_fields",
        lambda: patch.object(Surrogate, "render", lambda _, occurrence: occurrence),
        Redactor,
    ),
    "fields-not-whole": (
        "short",
        lambda: patch.object(cleaning.Cleaner, "whole", lambda cleaner, text, _: cleaner.clean(text)),
        Redactor,
    ),
    "nothing-is-taken-in": ("case", lambda: patch.object(Entities, "add", lambda *_: False), Redactor),
}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_no_planted_canary_survives(name: str) -> None:
    CHECKS[name](Redactor)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_each_seeded_fault_is_caught(fault: str) -> None:
    check, build, make = FAULTS[fault]
    with build(), pytest.raises(Survived):
        CHECKS[check](make)


def test_without_any_layer_every_check_fails() -> None:
    for name, check in CHECKS.items():
        with pytest.raises(Survived):
            check(lambda key: Redactor(key, layers=()))
        assert name
