from hypothesis import given
from hypothesis import strategies as st

from understudy.recorder.capture.atspi.bus import Peer
from understudy.recorder.capture.atspi.marks import MAX_MARKS, Field, Marks

FIELD = Field(
    peer=Peer(":1.2", "/9"),
    address="http://a.example/login",
    tag="input",
    key="pw",
    parent="/8",
    box=(1, 2, 30, 10),
)


def variant(**changed: object) -> Field:
    elsewhere = {"peer": Peer(":1.2", "/77"), "address": "x", "tag": "t", "key": "k", "parent": "/p"}
    return Field(**({**elsewhere, "box": (9, 9, 9, 9)} | changed))  # type: ignore[arg-type]


def test_a_mark_is_for_good_by_node_by_place_and_by_spot() -> None:
    marks = Marks()
    marks.add(FIELD)
    assert marks.has_node(FIELD.peer)
    assert marks.has(variant(peer=FIELD.peer))
    assert marks.has(variant(address=FIELD.address, tag="input", key="pw"))
    assert marks.has(variant(parent="/8", box=FIELD.box))
    assert not marks.has(variant())


def test_another_program_or_page_does_not_inherit_it() -> None:
    marks = Marks()
    marks.add(FIELD)
    assert not marks.has(variant(peer=Peer(":1.3", "/9")))
    assert not marks.has(variant(address="http://b.example/", tag="input", key="pw"))
    other = Peer(":1.3", "/9")
    assert not marks.has(variant(peer=other, address=FIELD.address, tag="input", key="pw"))


def test_a_field_without_id_and_name_has_no_place() -> None:
    marks = Marks()
    marks.add(variant(peer=FIELD.peer, key="", box=None))
    assert not marks.has(variant(key="", box=None))


def test_very_many_marks_do_not_fill_the_memory() -> None:
    marks = Marks()
    for number in range(MAX_MARKS):
        marks.add(variant(peer=Peer(":1.2", f"/{number}"), key=f"{number}", box=(number, 0, 1, 1)))
    assert not marks.has_node(Peer(":1.2", "/0"))
    assert marks.has_node(Peer(":1.2", f"/{MAX_MARKS - 1}"))


@given(st.text(), st.text(), st.text())
def test_what_was_marked_is_marked(address: str, tag: str, key: str) -> None:
    marks = Marks()
    field = variant(address=address, tag=tag, key=key)
    marks.add(field)
    assert marks.has(field)
