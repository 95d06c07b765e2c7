from dataclasses import replace

import pytest

from tests.unit.transparency.samples import OpenDraft, RawDraft, digest, participants, segment, tag
from understudy.consent.purposes import Purpose
from understudy.transparency.draft import Draft, DraftParticipant, content_digest

DRAFT = OpenDraft("r1", participants(1, 2))


def test_equal_drafts_have_equal_content() -> None:
    reordered = OpenDraft("r1", dict(reversed(participants(1, 2).items())))
    assert content_digest(DRAFT) == content_digest(OpenDraft("r1", participants(1, 2)))
    assert content_digest(DRAFT) == content_digest(reordered)


@pytest.mark.parametrize(
    "other",
    [
        replace(DRAFT, purpose=Purpose.EVALUATE),
        replace(DRAFT, participants=participants(1, 3)),
        replace(DRAFT, participants=participants(1)),
        replace(DRAFT, participants=participants(1, 2, segments=2)),
        replace(
            DRAFT,
            participants={
                **participants(1),
                tag(2): DraftParticipant(segments=(segment(2_000),), first_prev=digest("another")),
            },
        ),
        RawDraft(b"leaf"),
    ],
)
def test_other_drafts_have_other_content(other: Draft) -> None:
    assert content_digest(other) != content_digest(DRAFT)
