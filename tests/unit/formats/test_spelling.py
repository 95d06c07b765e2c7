"""The fast canonical spelling is RFC 8785, and reading it is strict."""

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.formats.forge import MANIFEST, RECORDING
from tests.unit.formats.strategies import trees
from understudy.consent.primitives import Value
from understudy.formats.elements import ElementTree
from understudy.formats.recording.manifest import Manifest
from understudy.formats.spelling import read, refit, spell
from understudy.sealing.canonical import canonical
from understudy.sealing.errors import FormatError


class Note(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every type of JSON that the formats use."""

    text: str
    number: int
    flag: bool
    nothing: str | None
    several: tuple[str, ...]


@given(
    note=st.builds(
        Note,
        text=st.text(st.characters(exclude_categories=["Cs"])),
        number=st.integers(-(2**53) + 1, 2**53 - 1),
        flag=st.booleans(),
        nothing=st.none() | st.text(st.characters(max_codepoint=0x20)),
        several=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=3).map(
            tuple
        ),
    )
)
def test_the_fast_spelling_is_rfc_8785(note: Note) -> None:
    assert spell(note) == rfc8785.dumps(msgspec.to_builtins(note)) == canonical(note)
    assert read(Note, spell(note)) == note


@given(tree=trees())
def test_the_fast_spelling_of_trees_is_rfc_8785(tree: ElementTree) -> None:
    assert spell(tree) == canonical(tree)


RAW = spell(MANIFEST)


@pytest.mark.parametrize(
    "other",
    [
        RAW.replace(b'{"app', b'{ "app', 1),
        RAW + b"\n",
        RAW.replace(b'"ordinal":0', b'"ordinal":0,"ordinal":0'),
        RAW.replace(b'"ordinal":0', b'"ordinal":-0'),
        RAW.replace(b'"ordinal":0', b'"ordinal":0.0'),
        RAW.replace(b'"ordinal":0', b'"ordinal":0,"added":1'),
        RAW.replace(b'"kind":"recording",', b""),
        RAW.replace(b'"en"', b'"\\u0065n"'),
        RAW.replace(b"synthetic", b"synth\xff"),
        RAW.replace(b'"width":64', b'"width":64,"depth":24'),
        b"[" * 100_000,
        b"",
        b"null",
    ],
    ids=[
        "space", "newline", "duplicate", "minus-zero", "float", "unknown", "missing", "escape", "not-utf-8",
        "unknown-inside", "deep", "empty", "null",
    ],
)  # fmt: skip
def test_another_spelling_is_refused(other: bytes) -> None:
    with pytest.raises(FormatError):
        read(Manifest, other)


def test_what_python_built_against_the_bounds_is_refused() -> None:
    with pytest.raises(FormatError):
        refit(msgspec.structs.replace(MANIFEST, recording=RECORDING + "A"))
    with pytest.raises(FormatError):
        spell(msgspec.structs.replace(MANIFEST, title="\ud800"))
