"""The document in force is the newest that may follow; document 1 is leaf 0."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.cast import STARTED_AT, Cast, stranger
from tests.unit.programme.stage import Stage
from understudy.consent.errors import UnavailableError
from understudy.consent.programme import ProgrammeDocument
from understudy.programme.database import open_database
from understudy.programme.documents import Documents
from understudy.programme.errors import DocumentError, SuccessionError
from understudy.programme.service import Programme
from understudy.programme.tables import Base
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import document_hash, sign
from understudy.transparency.leaves import ProgrammeLeaf, decode_leaf

CAST = Cast()
FIRST = CAST.document()
SECOND = replace(
    FIRST,
    number=2,
    previous=document_hash(FIRST),
    made_at=STARTED_AT + 60,
    terms=replace(FIRST.terms, retention_days=30),
)
SIGNED_SECOND = sign(
    SECOND, *(CAST.person(name) for name in ("steward", "approver-1", "approver-2", "custodian"))
)


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    engine = open_database(tmp_path / "server.db")
    Base.metadata.create_all(engine)
    return Documents(engine)


def test_without_a_document_nothing_is_in_force(documents: Documents) -> None:
    with pytest.raises(DocumentError):
        _ = documents.current
    with pytest.raises(DocumentError):
        _ = documents.signed


def test_the_first_is_checked_and_a_second_follows(documents: Documents) -> None:
    with pytest.raises(DocumentError):
        documents.adopt(SIGNED_SECOND)
    documents.adopt(CAST.signed_document())
    documents.adopt(CAST.signed_document())
    documents.adopt(SIGNED_SECOND)
    assert documents.current == SECOND
    assert documents.find(document_hash(FIRST)) == FIRST
    assert documents.all() == (FIRST, SECOND)
    documents.adopt(CAST.signed_document())
    assert documents.current == SECOND


def test_what_may_not_follow_changes_nothing(documents: Documents) -> None:
    documents.adopt(CAST.signed_document())
    with pytest.raises(SignatureError):
        documents.adopt(sign(SECOND, CAST.person("steward")))
    with pytest.raises(SuccessionError):
        documents.adopt(sign(replace(SECOND, number=3), *(CAST.person("steward"),)))
    assert documents.current == FIRST


def test_document_1_is_leaf_0_and_is_logged_once(stage: Stage) -> None:
    assert stage.programme.publish() == 0
    leaf = stage.log.store.entry(0)
    assert leaf is not None
    assert decode_leaf(leaf) == ProgrammeLeaf(document=stage.document)
    stage.restart()
    assert stage.log.store.size == 1
    stage.programme.documents.adopt(SIGNED_SECOND)
    assert stage.programme.publish() == 1


def test_a_lost_answer_of_the_log_does_not_log_twice(stage: Stage) -> None:
    stage.programme.documents.adopt(SIGNED_SECOND)
    stage.log_line.loses_answers = True
    with pytest.raises(UnavailableError):
        stage.programme.publish()
    stage.log_line.loses_answers = False
    assert stage.programme.publish() == 1
    assert stage.log.store.size == 2


def test_the_documents_survive_a_restart(stage: Stage) -> None:
    stage.programme.documents.adopt(SIGNED_SECOND)
    stage.restart()
    assert stage.programme.document().hash(ProgrammeDocument) == document_hash(SECOND)


def test_a_server_with_other_keys_or_custodians_does_not_start(stage: Stage) -> None:
    def build(**changes: object) -> Programme:
        parts = {
            "engine": stage.engine,
            "document": stage.document,
            "server_key": stage.cast.server,
            "custodians": stage.custodians,
            "keystore": stage.keystore,
            "log": stage.log,
            "clock": stage.clock,
        }
        return Programme(**(parts | changes))  # type: ignore[arg-type]

    build()
    with pytest.raises(DocumentError, match="server's key"):
        build(server_key=stranger())
    with pytest.raises(DocumentError, match="custodians are not those"):
        build(custodians=[])
