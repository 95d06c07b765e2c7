"""The catalogue finds what headers say, a page at a time, and knows no time of day."""

import pytest

from tests.cast import PROGRAMME
from tests.unit.programme.stage import Person
from tests.unit.vault.stage import Upload, VaultStage
from understudy.consent.decisions import Allowed
from understudy.consent.primitives import new_id
from understudy.consent.scope import Scope
from understudy.sealing.signing import document_hash
from understudy.vault.catalogue import day_of
from understudy.vault.errors import SegmentMissingError, VaultDamagedError

DAY = 86_400


def share(stage: VaultStage, person: Person, consent: str, count: int) -> list[Upload]:
    shared: list[Upload] = []
    for _ in range(count):
        previous = document_hash(shared[-1].header) if shared else None
        shared.append(stage.seal(person, consent, previous=previous))
        stage.send(shared[-1])
    return shared


def found(stage: VaultStage, **fields: tuple[str, ...]) -> set[str]:
    scope = Scope(programme=PROGRAMME, **fields)
    return {entry.segment for entry in stage.vault.select(scope).segments}


def test_a_scope_finds_what_it_covers_and_nothing_else(stage: VaultStage, anna: Person, consent: str) -> None:
    berta = Person("berta")
    hers = stage.agree(berta)
    annas, bertas = share(stage, anna, consent, 2), share(stage, berta, hers, 1)
    everything = {upload.segment for upload in (*annas, *bertas)}
    assert found(stage) == everything
    assert found(stage, tags=(anna.tag,)) == {upload.segment for upload in annas}
    assert found(stage, consents=(hers,)) == {bertas[0].segment}
    assert found(stage, recordings=(annas[0].header.seal.recording,)) == {annas[0].segment}
    assert found(stage, application_groups=("forms",), task_labels=("fill-form",)) == everything
    assert found(stage, application_groups=("mail",)) == set()
    assert found(stage, tags=(anna.tag,), consents=(hers,)) == set()
    assert found(stage, tags=()) == set()
    assert stage.vault.select(Scope(programme=PROGRAMME[:-1] + "Q")).segments == ()
    for upload in annas:
        header = stage.vault.headers([upload.segment])[upload.segment]
        decision = Scope(programme=PROGRAMME, tags=(anna.tag,)).covers(header.seal)
        assert isinstance(decision, Allowed)


def test_pages_follow_each_other_without_gap_or_repetition(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    shared = {upload.segment for upload in share(stage, anna, consent, 5)}
    scope, seen, cursor = Scope(programme=PROGRAMME), [], ""
    while True:
        page = stage.vault.select(scope, limit=2, cursor=cursor)
        seen += [entry.segment for entry in page.segments]
        cursor = page.next
        if not cursor:
            break
    assert seen == sorted(shared)
    assert len(stage.vault.select(scope, limit=0).segments) == 1


def test_unknown_segments_are_left_out_or_missing(stage: VaultStage, anna: Person, consent: str) -> None:
    (upload,) = share(stage, anna, consent, 1)
    unknown = new_id("seg")
    assert set(stage.vault.headers([upload.segment, unknown])) == {upload.segment}
    with pytest.raises(SegmentMissingError):
        stage.vault.catalogue.header(unknown)
    assert stage.vault.catalogue.header(upload.segment) == upload.header
    assert stage.vault.receipts(unknown) == ()


def test_retention_counts_whole_days(stage: VaultStage, anna: Person, consent: str) -> None:
    (upload,) = share(stage, anna, consent, 1)
    days = stage.cast.document().terms.retention_days
    midnight = stage.clock.now() // DAY * DAY
    assert stage.vault.expired(midnight + days * DAY + DAY - 1) == []
    assert stage.vault.expired(midnight + (days + 1) * DAY) == [upload.segment]


def test_ciphertext_that_is_gone_or_cut_is_told_as_damage(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    (upload,) = share(stage, anna, consent, 1)
    (path,) = (stage.home / "vault" / "objects").rglob("seg_*")
    path.write_bytes(upload.ciphertext[:-1])
    assert stage.vault.ciphertext(upload.segment, 0, 10) == upload.ciphertext[:10]
    with pytest.raises(VaultDamagedError):
        stage.vault.ciphertext(upload.segment)
    path.unlink()
    with pytest.raises(VaultDamagedError):
        stage.vault.ciphertext(upload.segment, 0, 10)


def test_a_range_beyond_the_end_is_empty(stage: VaultStage, anna: Person, consent: str) -> None:
    (upload,) = share(stage, anna, consent, 1)
    assert stage.vault.ciphertext(upload.segment, len(upload.ciphertext)) == b""
    assert stage.vault.ciphertext(upload.segment, 10**12, 5) == b""


def test_a_day_is_all_that_is_kept_of_a_time() -> None:
    assert day_of(1_800_000_000) == "2027-01-15"
    assert day_of(0) == "1970-01-01"
