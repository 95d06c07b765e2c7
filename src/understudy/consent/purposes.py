"""Why data may be used: closed lists that no configuration can lengthen.

Rules

* A programme offers some of ``OFFERED``; a participant accepts some of those.
* Performance, discipline, pay, scheduling, lay-offs, emotion and productivity are not members and cannot be
  added by a document: an unknown purpose does not decode.
* ``OWN`` is a participant's look at their own recordings, ``EVIDENCE`` a legal hold's, ``ASSESSMENT`` the
  assessment of a pooled object. No programme offers them and no grant for shared data may carry them.

Example

>>> Purpose("train") in OFFERED, Purpose("own") in OFFERED
(True, False)
"""

from enum import StrEnum


class Purpose(StrEnum):
    """What a read is for."""

    TRAIN = "train"
    EVALUATE = "evaluate"
    RESEARCH_ON_SAFETY = "research-on-safety"
    DEBUG = "debug"
    OWN = "own"
    EVIDENCE = "evidence"
    ASSESSMENT = "assessment"


OFFERED = frozenset({Purpose.TRAIN, Purpose.EVALUATE, Purpose.RESEARCH_ON_SAFETY, Purpose.DEBUG})
"""Purposes a programme may offer and a grant for other people's data may carry."""


class ReasonCode(StrEnum):
    """The structured reason every read states; free text alone is never enough."""

    MODEL_IMPROVEMENT = "model-improvement"
    MODEL_EVALUATION = "model-evaluation"
    SAFETY_RESEARCH = "safety-research"
    DEFECT_INVESTIGATION = "defect-investigation"
    QUALITY_CHECK = "quality-check"
    OWN_COPY = "own-copy"
    LEGAL_HOLD = "legal-hold"
    MODEL_ASSESSMENT = "model-assessment"


class Stream(StrEnum):
    """What a recorder may take; each is consented to by itself."""

    INPUT = "input"
    ELEMENTS = "elements"
    FRAMES = "frames"
    TEXT_VALUES = "text-values"
    POINTER_PATH = "pointer-path"
    KEY_TIMING = "key-timing"
    INTERVENTIONS = "interventions"


class Activity(StrEnum):
    """What the switch can stop, each by itself.

    ``reads`` leaves people's way to their own recordings open; only ``own-reads``, named by itself, closes
    it.
    """

    CAPTURE = "capture"
    INGEST = "ingest"
    READS = "reads"
    OWN_READS = "own-reads"
    RELEASES = "releases"
    TRAINING = "training"
