"""Hostile files: cut, flipped, spliced, swapped, oversized. ``check`` lists, and never raises."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.formats.forge import (
    ACTIONS,
    FIELD,
    FRAME,
    MANIFEST,
    ROOT,
    SECRET,
    TREE,
    Part,
    actions,
    assemble,
    frame,
    gaps,
    index_of_small_file,
    manifest,
    parts,
    row,
    spine,
    trees,
    versions,
    vp8l,
    with_index,
    with_parts,
)
from understudy.formats.elements import ElementState
from understudy.formats.picture import Picture
from understudy.formats.recording import check as module
from understudy.formats.recording.actions import (
    Action,
    Click,
    Drag,
    FillSecret,
    Hover,
    Key,
    Mark,
    Modifier,
    Scroll,
    Select,
    Type,
)
from understudy.formats.recording.bounds import MAX_PROBLEMS, MAX_RECORDING_BYTES
from understudy.formats.recording.check import check
from understudy.formats.recording.errors import Code
from understudy.formats.recording.frames import encode
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.layout import HEADER_BYTES, TRAILER_BYTES, Index, Kind
from understudy.formats.recording.manifest import RedactionStamp
from understudy.formats.recording.versions import Version
from understudy.formats.spelling import spell

SMALL = with_parts()


def codes(data: bytes) -> frozenset[str]:
    return check(io.BytesIO(data)).codes


def test_a_file_cut_at_any_byte_is_refused() -> None:
    for length in range(len(SMALL)):
        assert codes(SMALL[:length]) == {Code.TRUNCATED}, length


def test_a_flipped_bit_anywhere_is_detected() -> None:
    for at in range(len(SMALL)):
        flipped = bytearray(SMALL)
        flipped[at] ^= 1 << at % 8
        assert codes(bytes(flipped)), at


@given(at=st.integers(0, len(SMALL) - 1), junk=st.binary(min_size=1, max_size=9))
def test_bytes_put_in_anywhere_are_detected(at: int, junk: bytes) -> None:
    assert codes(SMALL[:at] + junk + SMALL[at:])
    assert codes(SMALL + junk)


@given(start=st.integers(0, len(SMALL) - 1), length=st.integers(1, 99))
def test_bytes_taken_out_anywhere_are_detected(start: int, length: int) -> None:
    assert codes(SMALL[:start] + SMALL[start + length :])


@given(junk=st.binary(max_size=300))
@example(SMALL[:HEADER_BYTES] + bytes(TRAILER_BYTES))
@example(SMALL[:HEADER_BYTES] + SMALL[-TRAILER_BYTES:])
def test_junk_is_reported_never_raised(junk: bytes) -> None:
    assert codes(junk)
    assert codes(SMALL[:HEADER_BYTES] + junk)


@given(
    junk=st.binary(max_size=60), kind=st.sampled_from(["trees", "versions", "actions", "gaps", "manifest"])
)
@example(b"[" * 100_000, "actions")
@example(b"{" * 100_000, "trees")
def test_a_chunk_of_junk_under_a_right_hash_is_malformed(junk: bytes, kind: str) -> None:
    if junk:
        broken = parts()[kind]._replace(content=junk)
        assert Code.MALFORMED in codes(with_parts(**{kind: broken}))


@given(junk=st.binary(min_size=1, max_size=60))
def test_a_chunk_of_junk_instead_of_a_zstd_frame_is_refused(junk: bytes) -> None:
    broken = parts()["trees"]._replace(stored=junk)
    assert Code.BAD_COMPRESSION in codes(with_parts(trees=broken))


@given(junk=st.binary(min_size=1, max_size=60))
def test_a_frame_of_junk_is_refused(junk: bytes) -> None:
    assert codes(with_parts(frame=Part(Kind.FRAME, junk))) == {Code.FRAME_MALFORMED}


def test_an_exchanged_order_of_chunks_of_other_kinds_is_the_same_recording() -> None:
    whole = parts()
    assert (
        codes(
            assemble(*(whole[name] for name in ("gaps", "actions", "versions", "frame", "trees", "manifest")))
        )
        == set()
    )


def test_chunks_exchanged_behind_the_back_of_the_index_are_detected() -> None:
    rows = [row(part) for part in parts().values()]
    stored = [data for _, data in rows]
    stored[0], stored[2] = stored[2], stored[0]
    assert codes(SMALL[:HEADER_BYTES] + b"".join(stored) + SMALL[sum(map(len, stored)) + HEADER_BYTES :])


def test_chunks_of_actions_in_another_order_run_backwards() -> None:
    early, late = actions(*ACTIONS[:2]), actions(*ACTIONS[2:])
    whole = {**parts(), "actions": early}
    del whole["manifest"]
    assert codes(assemble(*whole.values(), late, manifest())) == set()
    whole["actions"] = late
    assert codes(assemble(*whole.values(), early, manifest())) == {Code.BAD_LAYOUT}


@pytest.mark.parametrize("left_out", ["trees", "frame", "versions"])
def test_a_chunk_left_out_is_missed_by_what_names_it(left_out: str) -> None:
    whole = parts()
    del whole[left_out]
    assert codes(assemble(*whole.values())) & {Code.DANGLING, Code.UNREFERENCED}


def test_two_manifests_or_two_chunks_of_gaps_are_refused() -> None:
    assert codes(assemble(*parts().values(), manifest())) == {Code.TOO_MANY}
    whole = {**parts(), "more": gaps(Gap(from_ms=30_000, to_ms=31_000)), "last": manifest()}
    del whole["manifest"]
    assert codes(assemble(*whole.values())) == {Code.BAD_LAYOUT}


@pytest.mark.parametrize(
    "change",
    [
        {"from_ms": 0, "to_ms": 0},
        {"items": 9},
        {"size": 1},
        {"kind": Kind.ACTIONS},
        {"kind": Kind.FRAME},
    ],
    ids=["times", "count", "size", "actions", "frame"],
)
def test_an_index_that_lies_about_a_chunk_is_refused(change: dict[str, object]) -> None:
    lying = parts()["trees"]._replace(**change)  # type: ignore[arg-type]
    assert codes(with_parts(trees=lying))


def test_an_index_that_reaches_beyond_the_file_is_refused() -> None:
    index = index_of_small_file()
    first = replace(index.chunks[0], length=index.chunks[0].length + 1)
    assert codes(with_index(spell(Index(chunks=(first, *index.chunks[1:]))))) == {Code.BAD_LAYOUT}


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b'{"chunks":[],"version":1}', b"[" * 50_000, b"\xff" * 10],
    ids=["empty", "bare", "none", "deep", "bytes"],
)
def test_an_index_of_anything_else_is_refused(content: bytes) -> None:
    assert codes(with_index(content)) <= {Code.INDEX_MALFORMED, Code.INDEX_CORRUPT}
    assert codes(with_index(content))


def test_an_index_with_unknown_or_duplicate_fields_is_refused() -> None:
    raw = spell(index_of_small_file())
    assert codes(with_index(raw)) == set()
    assert codes(with_index(raw.replace(b'"version":1', b'"version":1,"added":1'))) == {Code.INDEX_MALFORMED}
    assert codes(with_index(raw.replace(b'"version":1', b'"version":1,"version":1'))) == {
        Code.INDEX_MALFORMED
    }


@pytest.mark.parametrize(
    ("target", "code"),
    [("trees", b'"role":"textbox"'), ("actions", b'"act":"click"'), ("gaps", b'"from_ms":10000')],
    ids=["trees", "actions", "gaps"],
)
def test_unknown_and_duplicate_fields_of_items_are_refused(target: str, code: bytes) -> None:
    part = parts()[target]
    assert code in part.content
    for added in (b',"added":null', b"," + code):
        other = part._replace(content=part.content.replace(code, code + added, 1))
        assert Code.MALFORMED in codes(with_parts(**{target: other}))


def test_a_file_longer_than_the_bound_is_refused_unread() -> None:
    class Long(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            return MAX_RECORDING_BYTES + 1 if whence == io.SEEK_END else super().seek(offset, whence)

        def read(self, _size: int | None = -1, /) -> bytes:
            raise AssertionError

    assert check(Long(SMALL)).codes == {Code.TOO_LARGE}


def test_frames_over_the_total_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOTAL_PIXELS", 60)
    hollow = frame(replace(FRAME, webp=vp8l(8, 6)))
    version = Version(at_ms=9_000, tree=None, frame=1)
    whole = {**parts(), "more": hollow, "versions": versions(*_versions(), version), "last": manifest()}
    del whole["manifest"]
    assert codes(assemble(*whole.values())) == {Code.TOO_MANY_PIXELS}


def _versions() -> tuple[Version, ...]:
    return (Version(at_ms=0, tree=0, frame=0), Version(at_ms=3_000, tree=1, frame=None))


def test_equal_pixels_in_other_bytes_are_found_to_be_equal() -> None:
    noise = Picture(width=12, height=12, rgb=bytes(number * 37 % 251 for number in range(432)))
    first, second = encode(noise, quality=0, method=0), encode(noise, quality=100, method=6)
    assert first != second
    both = [frame(replace(FRAME, width=12, height=12, webp=data)) for data in (first, second)]
    shown = versions(*_versions(), Version(at_ms=9_000, tree=None, frame=1))
    whole = {**parts(), "frame": both[0], "more": both[1], "versions": shown, "last": manifest()}
    del whole["manifest"]
    assert codes(assemble(*whole.values())) == {Code.DUPLICATE}


def test_one_damaged_chunk_does_not_hide_what_is_wrong_elsewhere() -> None:
    data = with_parts(
        trees=parts()["trees"]._replace(content=b"{}"), gaps=gaps(Gap(from_ms=500, to_ms=1_000))
    )
    assert codes(data) == {Code.MALFORMED, Code.TIME_OFF_GRID}


def test_every_broken_rule_of_a_tree_is_listed() -> None:
    states = (ElementState.SHOWING, ElementState.BUSY)
    leaky = replace(SECRET, value="x")
    tree = replace(TREE, elements=(replace(ROOT, states=states), leaky, replace(FIELD, parent=1)))
    problems = check(io.BytesIO(with_parts(trees=trees(tree, TREE), actions=actions(*ACTIONS[3:])))).problems
    assert [problem.code for problem in problems[:3]] == ["not-sorted", "secure-content", "secure-content"]


def test_what_depends_on_a_damaged_chunk_is_not_judged() -> None:
    broken = parts()["versions"]._replace(content=b"{}")
    assert codes(with_parts(versions=broken)) == {Code.MALFORMED}


def test_a_frame_that_does_not_decode_is_reported() -> None:
    assert codes(with_parts(frame=frame(replace(FRAME, webp=vp8l(8, 6))))) == {Code.FRAME_MALFORMED}


def test_layers_of_a_redaction_stamp_are_sorted() -> None:
    rules = "A" * 43
    for layers, expected in ((("a", "b"), set()), (("b", "a"), {Code.NOT_SORTED})):
        stamped = replace(MANIFEST, source="recorder", redaction=RedactionStamp(rules=rules, layers=layers))
        assert codes(with_parts(manifest=manifest(stamped))) == expected


@pytest.mark.parametrize(
    "action",
    [
        Click(at_ms=4_000, before=0, target=1, marks=(Mark.SURROGATE, Mark.CLASSES)),
        Click(at_ms=4_000, before=0, target=1, marks=(Mark.SURROGATE, Mark.SURROGATE)),
        Scroll(at_ms=4_000, before=0, dy=1, modifiers=(Modifier.SHIFT, Modifier.ALT)),
    ],
    ids=["marks", "twice", "modifiers"],
)
def test_lists_that_mean_sets_are_sorted_and_distinct(action: Action) -> None:
    assert codes(with_parts(actions=actions(action))) == {Code.NOT_SORTED}


@pytest.mark.parametrize(
    "action",
    [
        Drag(at_ms=4_000, before=0, target=1, drop=2),
        Drag(at_ms=4_000, before=0, target=2, drop=1),
        Select(at_ms=4_000, before=0, target=1, option="x", option_element=2),
        Select(at_ms=4_000, before=0, target=2, option=None),
        Scroll(at_ms=4_000, before=0, target=2, dy=1),
        Key(at_ms=4_000, before=0, target=2, key="a", modifiers=(Modifier.CONTROL,)),
        Key(at_ms=4_000, before=0, target=2, key="Enter", value="x"),
    ],
    ids=["drop", "drag", "option", "select", "scroll", "shortcut", "value"],
)
def test_an_act_that_carries_something_of_a_secret_is_refused(action: Action) -> None:
    assert codes(with_parts(actions=actions(action))) == {Code.SECURE_CONTENT}


@pytest.mark.parametrize(
    "action",
    [
        FillSecret(at_ms=4_000, before=0, target=2),
        Click(at_ms=4_000, before=0, target=2),
        Hover(at_ms=4_000, before=0, target=2),
        Key(at_ms=4_000, before=0, target=2, key="Tab", modifiers=(Modifier.SHIFT,)),
    ],
    ids=["fill", "click", "hover", "leave"],
)
def test_what_says_nothing_of_a_secret_passes(action: Action) -> None:
    assert codes(with_parts(actions=actions(action))) == set()


def test_a_secret_without_a_field_is_refused() -> None:
    assert codes(with_parts(actions=actions(FillSecret(at_ms=4_000, before=None)))) == {Code.DANGLING}


def test_a_report_stops_at_its_bound() -> None:
    many = actions(*[Key(at_ms=0, before=None, key="a")] * 64)
    whole = parts()
    assert (
        len(
            check(
                io.BytesIO(
                    assemble(whole["trees"], whole["frame"], whole["versions"], many, many, manifest())
                )
            ).problems
        )
        == MAX_PROBLEMS
    )


def test_a_report_says_where_and_holds_no_recorded_text() -> None:
    typed = Type(at_ms=9_000, before=0, target=2, text="quartz-4411", value="quartz-4411")
    report = check(io.BytesIO(with_parts(actions=actions(typed))))
    assert [(problem.code, problem.chunk) for problem in report.problems] == [(Code.SECURE_CONTENT, 3)]
    assert b"quartz" not in spell(report)


def test_a_state_without_a_tree_has_no_elements() -> None:
    click = Click(at_ms=4_000, before=1, target=0)
    shown = versions(Version(at_ms=0, tree=0, frame=None), Version(at_ms=0, tree=None, frame=0))
    assert codes(with_parts(trees=trees(TREE), versions=shown, actions=actions(click))) == {Code.DANGLING}
    nowhere = actions(Click(at_ms=4_000, before=None, target=0))
    assert codes(with_parts(actions=nowhere)) == {Code.DANGLING}


def test_a_deep_but_allowed_tree_passes() -> None:
    assert codes(with_parts(trees=trees(TREE, spine(200)))) == set()
    assert codes(with_parts(manifest=manifest(replace(MANIFEST, title="Ünïcode ☃")))) == set()
