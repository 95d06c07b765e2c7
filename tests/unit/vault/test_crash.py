"""Killed or out of space anywhere in an upload: what was acknowledged is there, and the same call goes on."""

import os
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.cast import PROGRAMME
from tests.unit.programme.stage import Person
from tests.unit.vault.full_disk import full_disk
from tests.unit.vault.stage import PAYLOAD, Upload, VaultStage
from understudy.consent.errors import UnavailableError
from understudy.consent.scope import Scope
from understudy.sealing.segment import open_half, open_segment
from understudy.sealing.signing import document_hash


class KilledError(BaseException):
    """The process ends here; nothing of the program may catch it."""


class Executioner:
    """Counts every step that touches the disk or another party, and kills at one of them."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.steps = 0

    def step(self, *_: object) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise KilledError

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``call`` with a step before and after it."""

        def stepped(*args: Any, **keywords: Any) -> Any:
            self.step()
            answer = call(*args, **keywords)
            self.step()
            return answer

        return stepped

    @contextmanager
    def armed(self, stage: VaultStage, monkeypatch: pytest.MonkeyPatch, at: int | None) -> Any:
        """Kill at step ``at`` of what happens inside."""
        self.at, self.steps = at, 0
        with monkeypatch.context() as patched:
            for name in ("fsync", "link", "unlink", "write"):
                patched.setattr(os, name, self.around(getattr(os, name)))
            patched.setattr(stage.custodian, "deposit", self.around(stage.custodian.deposit))
            event.listen(Session, "before_commit", self.step)
            event.listen(Session, "after_commit", self.step)
            try:
                yield
            finally:
                event.remove(Session, "before_commit", self.step)
                event.remove(Session, "after_commit", self.step)


def check(stage: VaultStage, shared: list[Upload]) -> None:
    """Check that everything acknowledged is whole, and that everything listed was finished."""
    listed = {entry.segment for entry in stage.vault.select(Scope(programme=PROGRAMME)).segments}
    assert {upload.segment for upload in shared} <= listed
    for segment in listed:
        header = stage.vault.headers([segment])[segment]
        half_p = stage.vault.open_halves([header])[segment]
        assert half_p.commitment == header.half("p").commitment
        assert len(stage.vault.ciphertext(segment)) == header.ciphertext_bytes
        assert stage.vault.receipts(segment)


def opens(stage: VaultStage, upload: Upload) -> bool:
    half_p = stage.vault.open_halves([upload.header])[upload.segment]
    half_c = open_half("c", upload.header, upload.sealed.halves[1], stage.cast.custodian.hpke)
    ciphertext = stage.vault.ciphertext(upload.segment)
    return open_segment(upload.header, ciphertext, half_p, half_c) == PAYLOAD


def test_killed_at_every_step_an_upload_goes_on(
    stage: VaultStage, anna: Person, consent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    executioner, at = Executioner(), 0
    shared: list[Upload] = []
    while True:
        at += 1
        previous = document_hash(shared[-1].header) if shared else None
        upload = stage.seal(anna, consent, previous=previous)
        try:
            with executioner.armed(stage, monkeypatch, at):
                stage.send(upload, piece=1 << 17)
        except KilledError:
            stage.restart()
            check(stage, shared)
            assert stage.send(upload, piece=1 << 17).receipts
            shared.append(upload)
            assert opens(stage, upload)
            assert not list((stage.home / "vault" / "uploads").iterdir())
        else:
            break
    check(stage, shared)
    assert at > 20


def test_a_full_disk_at_any_size_acknowledges_nothing_and_loses_nothing(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    shared: list[Upload] = []
    for limit in (0, 1, 3_000, 20_000, 65_000, 200_000):
        previous = document_hash(shared[-1].header) if shared else None
        upload = stage.seal(anna, consent, previous=previous)
        try:
            with full_disk(after=limit):
                stage.send(upload)
        except UnavailableError:
            pass
        else:
            assert limit == 200_000
        stage.restart()
        check(stage, shared)
        assert stage.send(upload).receipts
        shared.append(upload)
    assert all(opens(stage, upload) for upload in shared)
