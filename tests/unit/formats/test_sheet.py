"""Contact sheets: every act, its target where it is, nothing of a secret, and never without bound."""

import io
from itertools import count, pairwise
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image, ImageChops

from understudy.consent.primitives import encode_bytes
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture
from understudy.formats.recording.actions import Action, Click, Drag, FillSecret, Key, Point
from understudy.formats.recording.errors import RecordingError
from understudy.formats.recording.frames import Frame, encode
from understudy.formats.recording.layout import Kind
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.recording.writer import RecordingWriter
from understudy.formats.sheet.ink import ACCENT, GROUND, MUTED, SURFACE, fitted, text_width, wrapped
from understudy.formats.sheet.scene import Shot, draw_shot, view_of
from understudy.formats.sheet.sheet import contact_sheet
from understudy.formats.synthetic import synthetic_recording, synthetic_segment

GREY = (200, 200, 200)
PAGE = ElementTree(
    elements=(
        Element(role=Role.DOCUMENT, name="Page", box=Box(100, 50, 200, 100)),
        Element(role=Role.BUTTON, name="Send", box=Box(120, 60, 60, 20), parent=0),
        Element(
            role=Role.TEXTBOX,
            name="Password",
            box=Box(120, 100, 60, 20),
            parent=0,
            states=(ElementState.SECURE,),
        ),
        Element(role=Role.TEXT, name="far", box=Box(280, 130, 20, 20), parent=0),
    )
)


def drawn(*sources: bytes, **options: int) -> Image.Image:
    png = contact_sheet([io.BytesIO(source) for source in sources], **options)
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        assert not image.info
        return image.convert("RGB")


def recording(number: int, **options: Any) -> list[bytes]:
    name = "rec_" + encode_bytes(bytes([number] * 16))
    return synthetic_recording(number, recording=name, started_at=1_800_000_000 + number, **options)


def frame() -> Frame:
    rgb = bytes(GREY) * (200 * 100)
    return Frame(x=100, y=50, width=200, height=100, webp=encode(Picture(width=200, height=100, rgb=rgb)))


def shot(action: Action, *, is_framed: bool = True, tree: ElementTree | None = PAGE) -> Shot:
    return Shot(action=action, at_ms=0, tree=tree, frame=frame() if is_framed else None, said="")


def pixels(image: Image.Image, colour: tuple[int, int, int]) -> set[tuple[int, int]]:
    data = image.load()
    assert data is not None
    return {(x, y) for x in range(image.width) for y in range(image.height) if data[x, y] == colour}


def box_of(found: set[tuple[int, int]]) -> tuple[int, int, int, int]:
    xs, ys = {x for x, _ in found}, {y for _, y in found}
    return min(xs), min(ys), max(xs), max(ys)


class TestScene:
    def test_the_target_is_outlined_where_it_is(self) -> None:
        key = Key(at_ms=0, before=0, target=1, key="Enter")
        view = view_of([shot(key)])
        assert view == Box(110, 50, 190, 100)
        image = draw_shot(shot(key), view, 380, 200)  # twice the size
        left, top, right, bottom = box_of(pixels(image, ACCENT))
        assert (left, top, right, bottom) == (20 - 2, 20 - 2, 140 - 1 + 2, 60 - 1 + 2)

    def test_the_point_is_ringed(self) -> None:
        click = Click(at_ms=0, before=None, point=Point(200, 100))
        image = draw_shot(shot(click, tree=None), Box(100, 50, 200, 100), 200, 100)
        left, top, right, bottom = box_of(pixels(image, ACCENT))
        assert abs((left + right) / 2 - 100) <= 1
        assert abs((top + bottom) / 2 - 50) <= 1
        assert 8 <= right - left <= 18

    def test_a_drag_leads_to_where_it_went(self) -> None:
        drag = Drag(at_ms=0, before=None, point=Point(110, 60), to=Point(280, 140))
        image = draw_shot(shot(drag, tree=None), Box(100, 50, 200, 100), 200, 100)
        assert box_of(pixels(image, ACCENT))[2] > 170

    @pytest.mark.parametrize("is_framed", [True, False], ids=["frame", "wireframe"])
    def test_a_field_for_a_secret_is_hatched(self, is_framed: bool) -> None:
        act = FillSecret(at_ms=0, before=0, target=2)
        plain = replace(
            PAGE, elements=(*PAGE.elements[:2], replace(PAGE.elements[2], states=()), PAGE.elements[3])
        )
        inside = (25, 102, 135, 138)
        view = Box(110, 50, 190, 100)
        hatched = draw_shot(shot(act, is_framed=is_framed), view, 380, 200).crop(inside)
        without = draw_shot(shot(act, is_framed=is_framed, tree=plain), view, 380, 200).crop(inside)
        assert len(pixels(hatched, MUTED)) > 300
        assert len(pixels(without, MUTED)) < 50

    @pytest.mark.parametrize("is_redacted", [True, False])
    def test_what_redaction_took_out_is_hatched(self, is_redacted: bool) -> None:
        """Black of a redacted file is a mask; a stroke of that colour is not, nor black in other files."""
        picture = Image.new("RGB", (200, 100), GREY)
        picture.paste((0, 0, 0), (20, 10, 80, 30))
        picture.paste((0, 0, 0), (120, 10, 123, 60))
        webp = encode(Picture(width=200, height=100, rgb=picture.tobytes()))
        seen = Frame(x=100, y=50, width=200, height=100, webp=webp)
        asked = Shot(
            action=Key(at_ms=0, before=None, key="Tab"),
            at_ms=0,
            tree=None,
            frame=seen,
            said="",
            is_redacted=is_redacted,
        )
        image = draw_shot(asked, None, 200, 100)
        stripes = pixels(image, MUTED)
        assert bool(stripes) == is_redacted
        if stripes:
            left, top, right, bottom = box_of(stripes)
            assert (left >= 19, right <= 81, top >= 9, bottom <= 31) == (True,) * 4
        assert image.getpixel((121, 40)) == (0, 0, 0)

    def test_a_list_above_a_field_for_a_secret_is_not_hatched(self) -> None:
        above = Element(role=Role.OPTION, name="red", box=Box(110, 90, 100, 50), parent=0)
        covered = replace(PAGE, elements=(*PAGE.elements, above))
        image = draw_shot(shot(Key(at_ms=0, before=0, key="Tab"), tree=covered), None, 380, 200)
        assert not pixels(image, MUTED)

    def test_without_a_frame_the_boxes_are_drawn(self) -> None:
        image = draw_shot(shot(Key(at_ms=0, before=0, key="Tab"), is_framed=False), None, 380, 200)
        assert image.getpixel((5, 5)) == GROUND
        assert image.getpixel((25, 30)) == SURFACE  # the button, filled
        assert not pixels(image, GREY)

    def test_without_anything_a_word_says_so(self) -> None:
        nothing = shot(Click(at_ms=0, before=None, point=Point(1, 1)), is_framed=False, tree=None)
        assert view_of([nothing]) is None
        image = draw_shot(nothing, None, 380, 200)
        assert image.getpixel((0, 0)) == SURFACE
        assert len({image.getpixel((x, y)) for x in range(380) for y in range(80, 120)}) > 1

    @pytest.mark.parametrize(
        "box", [Box(-500, -500, 5, 5), Box(90_000, 9, 0, 0), Box(0, 0, 100_000, 100_000), None]
    )
    def test_boxes_far_outside_harm_nothing(self, box: Box | None) -> None:
        tree = replace(PAGE, elements=(*PAGE.elements[:3], replace(PAGE.elements[3], box=box)))
        for is_framed in (True, False):
            act = Click(at_ms=0, before=0, target=3, point=Point(-4_000, 100_000))
            asked = shot(act, is_framed=is_framed, tree=tree)
            assert draw_shot(asked, view_of([asked]), 380, 200).size == (380, 200)


class TestSheet:
    def test_the_same_files_give_the_same_picture_in_any_order(self) -> None:
        files = [*recording(1, segments=2, actions=4), *recording(2, segments=1, actions=4)]
        assert contact_sheet([io.BytesIO(file) for file in files]) == contact_sheet(
            [io.BytesIO(file) for file in reversed(files)]
        )

    def test_every_act_has_a_cell_until_the_limit(self) -> None:
        files = recording(3, segments=1, actions=6)
        rows = [drawn(*files, columns=1, limit=limit).height for limit in (1, 2, 3, 6, 60)]
        steps = [after - before for before, after in pairwise(rows)]
        assert steps[0] == steps[1]
        assert steps[2] == 3 * steps[0]
        assert steps[3] == 0

    def test_many_recordings_are_bounded_and_counted(self) -> None:
        files = [recording(number, segments=1, actions=3)[0] for number in range(1, 8)]
        few = drawn(*files, limit=3)
        assert few.height < drawn(*files, limit=21).height
        # "4 more recordings not shown here" stands at the foot.
        foot = few.crop((40, few.height - 78, 400, few.height - 60))
        assert ImageChops.difference(foot, Image.new("RGB", foot.size, GROUND)).getbbox()

    def test_a_sheet_cannot_be_asked_to_grow_without_bound(self) -> None:
        (file,) = recording(4, segments=1, actions=12)
        assert drawn(file, columns=1_000, limit=10**9).width < 3_000
        assert drawn(file, columns=0, limit=0).height < 600

    def test_a_recording_without_acts_still_has_its_heading(self) -> None:
        (file,) = recording(5, segments=1, actions=0)
        assert drawn(file).height > 80

    def test_every_synthetic_act_can_be_drawn(self) -> None:
        (file,) = recording(6, segments=1, actions=40)
        assert drawn(file).width == 1432

    def test_acts_without_frames_are_drawn_too(self) -> None:
        payload = synthetic_segment(
            1, recording="rec_" + "A" * 22, ordinal=0, started_at=0, ended_at=60, actions=24
        )
        reader = RecordingReader(io.BytesIO(payload))
        file = io.BytesIO()
        writer = RecordingWriter(file)
        for number in range(reader.count(Kind.VERSIONS)):
            version = reader.version(number)
            assert version.tree is not None
            writer.add_version(replace(version, tree=writer.add_tree(reader.tree(version.tree)), frame=None))
        for action in reader.actions():
            writer.add_action(action)
        writer.finish(reader.manifest)
        without, with_frames = drawn(file.getvalue()), drawn(payload)
        assert without.size == with_frames.size
        assert ImageChops.difference(without, with_frames).getbbox()

    def test_a_file_that_is_none_is_an_error(self) -> None:
        with pytest.raises(RecordingError):
            contact_sheet([io.BytesIO(b"not a recording")])

    def test_nothing_to_draw_is_an_empty_sheet(self) -> None:
        assert drawn().height < 100


class TestInk:
    @pytest.mark.parametrize("text", ["", "word", "a much longer line of many words", "x" * 500])
    def test_text_never_runs_out_of_its_room(self, text: str) -> None:
        for width in (20, 60, 200):
            assert text_width(fitted(text, 14, width), 14) <= width
            lines = wrapped(text, 14, width=width, lines=2)
            assert len(lines) <= 2
            assert all(text_width(line, 14) <= width for line in lines)

    def test_wrapping_keeps_what_fits(self) -> None:
        text = "typed “a” into field “Name”"
        for width in count(400, 200):
            if (made := wrapped(text, 14, width=width, lines=2)) and len(made) == 1:
                assert made == [text]
                break
