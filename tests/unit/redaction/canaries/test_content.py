"""The content search finds what a reader could read: text, texts in a row, names of files, pixels."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageFont

from tests.unit.formats.forge import MANIFEST, TREE
from understudy.formats.elements import ElementTree
from understudy.formats.picture import Picture
from understudy.formats.recording.actions import Action, Type
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.versions import Version
from understudy.formats.recording.writer import RecordingWriter
from understudy.formats.synthetic import synthetic_segment
from understudy.redaction.canaries.content import folded, search_content
from understudy.redaction.canaries.pixels import LEAST_INK, shows, template
from understudy.redaction.canaries.planted import CanaryError

CANARY = "qzv7k2mx9w4t"


def drawn(text: str, *, at: tuple[int, int] = (3, 3), ink: str = "black", ground: str = "white") -> Picture:
    image = Image.new("RGB", (220, 40), ground)
    ImageDraw.Draw(image).text(at, text, fill=ink, font=ImageFont.load_default(16))
    return Picture(width=220, height=40, rgb=image.tobytes())


def written(
    path: Path,
    *,
    manifest: Manifest = MANIFEST,
    tree: ElementTree = TREE,
    frame: Picture | None = None,
    actions: Sequence[Action] = (),
) -> Path:
    file = io.BytesIO()
    writer = RecordingWriter(file)
    shot = None if frame is None else writer.add_frame(frame, 0, 0)
    writer.add_version(Version(at_ms=0, tree=writer.add_tree(tree), frame=shot))
    for action in actions:
        writer.add_action(action)
    writer.finish(replace(manifest, screen=replace(manifest.screen, width=400, height=300)))
    path.write_bytes(file.getvalue())
    return path


def parts(folder: Path, **more: object) -> set[str]:
    return {hit.part for hit in search_content([folder], [CANARY], **more).hits}  # type: ignore[arg-type]


def test_a_synthetic_recording_gives_up_every_canary(tmp_path: Path) -> None:
    planted = [CANARY, "vq83hfjz0xkd", "жщюыэъфыва12"]
    payload = synthetic_segment(
        1, recording="rec_" + "A" * 22, ordinal=0, started_at=0, ended_at=60, canaries=planted
    )
    (tmp_path / "segment").write_bytes(payload)
    report = search_content([tmp_path], planted)
    assert (report.found, report.recordings, report.is_complete) == (3, 1, True)


def test_title_instruction_and_names_of_elements_are_read(tmp_path: Path) -> None:
    written(tmp_path / "a", manifest=replace(MANIFEST, title=f"about {CANARY}"))
    assert parts(tmp_path) == {"manifest"}
    named = replace(TREE, elements=(replace(TREE.elements[0], name=CANARY.upper()), *TREE.elements[1:]))
    written(tmp_path / "a", tree=named)
    assert parts(tmp_path) == {"tree"}


def test_a_text_cut_into_several_actions_is_put_together(tmp_path: Path) -> None:
    pieces = [Type(at_ms=0, before=0, target=1, text=CANARY[at : at + 3]) for at in range(0, 12, 3)]
    written(tmp_path / "a", actions=pieces)
    assert parts(tmp_path) == {"keys"}


@pytest.mark.parametrize("shown", ["QZV7-K2MX-9W4T", "q z v 7 k 2 m x 9 w 4 t", "qzv7k2\u200bmx9w4t"])
def test_what_a_person_would_recognise_is_found(tmp_path: Path, shown: str) -> None:
    written(tmp_path / "a", manifest=replace(MANIFEST, title=shown))
    assert parts(tmp_path) == {"manifest"}


def test_a_canary_of_signs_alone_is_not_found_everywhere(tmp_path: Path) -> None:
    written(tmp_path / "a")
    assert folded("-_-_-_-_-_-_-") == ""
    assert search_content([tmp_path], ["-_-_-_-_-_-_-"]).found == 0


def test_names_of_files_and_what_is_no_recording_are_searched(tmp_path: Path) -> None:
    written(tmp_path / f"{CANARY}.understudy")
    (tmp_path / "notes").write_text(CANARY)
    assert parts(tmp_path) == {"file name", "bytes"}


@pytest.mark.parametrize("at", [(3, 3), (60, 17), (17, 20)])
@pytest.mark.parametrize(("ink", "ground"), [("black", "white"), ("white", "black"), ("#333", "#eee")])
def test_a_rendered_canary_is_found_in_pixels(
    tmp_path: Path, at: tuple[int, int], ink: str, ground: str
) -> None:
    wanted = template(1, drawn(CANARY))
    written(tmp_path / "a", frame=drawn(CANARY, at=at, ink=ink, ground=ground))
    report = search_content([tmp_path], [CANARY], templates=[wanted])
    assert (report.found, report.found_in_frames, report.frames) == (1, 1, 1)


def test_another_text_and_a_masked_one_do_not_match() -> None:
    wanted = template(1, drawn(CANARY))
    assert shows(drawn(f"{CANARY} and more"), wanted)
    assert not shows(drawn("hjb3n8tdr6cg"), wanted)
    image = Image.frombytes("RGB", (220, 40), drawn(CANARY).rgb)
    ImageDraw.Draw(image).rectangle((0, 0, 60, 39), fill="black")
    assert not shows(Picture(width=220, height=40, rgb=image.tobytes()), wanted)


def test_an_empty_template_is_refused() -> None:
    with pytest.raises(CanaryError):
        template(1, drawn("."))
    assert LEAST_INK > 1


def test_four_characters_of_a_password_are_found(tmp_path: Path) -> None:
    written(tmp_path / "a", manifest=replace(MANIFEST, title="xx7Kq2xx"))
    report = search_content([tmp_path], [CANARY], passwords=["zz7Kq2zz"])
    assert [hit.part for hit in report.password_hits] == ["manifest"]
    assert not search_content([tmp_path], [CANARY], passwords=["zz7K"]).password_hits


def test_a_damaged_recording_makes_the_search_incomplete(tmp_path: Path) -> None:
    path = written(tmp_path / "a")
    path.write_bytes(path.read_bytes()[:-9])
    assert not search_content([tmp_path], [CANARY]).is_complete
