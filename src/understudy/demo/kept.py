"""The control of the demonstration: what capture took, kept, and replayed through an empty redactor.

Rules

* A search that finds nothing proves nothing until the same search finds everything in the same input without
  protection. So the demonstration's recorder keeps its raw files and their key. The product deletes both and
  has no option for this: the class below exists here alone.
* What is kept lies outside the device's folder, so that a search of the device is a search of the product.
* A replay runs the same assembler and writes the same format. Only the redactor has no layers.

Example::

    raw = KeptRawFiles(device.home / "raw", kept)
    ...                                   # a session records, redacts and retires
    replay(kept, control)                 # unredacted, unsealed recordings
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from understudy.formats.raw.body import Start
from understudy.formats.raw.events import CLOCK, KEYS
from understudy.formats.raw.reader import Item, RawReader
from understudy.formats.recording.assembly import Assembler
from understudy.formats.recording.keysyms import character_of
from understudy.formats.recording.manifest import DEFAULT_GRID_MS, Manifest
from understudy.recorder.payload import payload_of
from understudy.recorder.rawfiles import RawFiles
from understudy.recorder.streams import with_few_frames
from understudy.redaction.redactor import Redactor
from understudy.sealing.durable import private_folder
from understudy.sealing.run import RUN_KEY_BYTES, RunKey

KEY_FILE: Final = "run.key"
PIECE_MS: Final = 60_000
FRAMES: Final = 600


class KeptRawFiles(RawFiles):
    """Raw files that are moved aside where they would be deleted, with the key beside them."""

    def __init__(self, folder: Path, kept: Path) -> None:
        super().__init__(folder)
        self._kept: Final = private_folder(kept)
        path = self._kept / KEY_FILE
        path.touch(mode=0o600)
        path.write_bytes(self.key.raw)

    def retire(self, name: str) -> None:
        """Move a raw file aside."""
        if self.path(name).exists():
            shutil.move(self.path(name), self._kept / name)

    def close(self) -> None:
        """Move aside what is left, and forget the key."""
        for leftover in self.folder.iterdir():
            self.retire(leftover.name)
        super().close()


def without_layers() -> Redactor:
    """Return a redactor that passes everything."""
    return Redactor(bytes(RUN_KEY_BYTES), layers=())


def replay(kept: Path, control: Path, *, redactor: Callable[[], Redactor] = without_layers) -> int:
    """Write what was captured as recordings, not sealed; return how many.

    Args:
        kept: the raw files and their key.
        control: made if absent; gets the recordings.
        redactor: makes one for each recording; of another one than the empty, less than all is expected.

    Raises:
        RawError, RecordingError: something that was kept is damaged.
        RedactionError: the redactor refuses a stretch.
    """
    private_folder(control)
    written = 0
    for start, items in _recordings(kept):
        assembler = Assembler(start, grid_ms=DEFAULT_GRID_MS)
        for item in items:
            assembler.feed(item)
        begins = range(0, assembler.settle(None) + 1, PIECE_MS)
        stretches = [with_few_frames(assembler.stretch(at, at + PIECE_MS), FRAMES) for at in begins]
        made = redactor()
        for stretch in stretches:
            made.learn(stretch)
        for ordinal, stretch in enumerate(stretches):
            manifest = Manifest(
                recording=start.recording,
                ordinal=ordinal,
                title="control",
                task="control",
                application_group="control",
                started_at=start.started_at,
                ended_at=start.started_at + PIECE_MS // 1_000,
                screen=start.screen,
                source="recorder",
                redaction=made.stamp,
            )
            path = control / f"{start.recording}-{ordinal}.understudy"
            path.write_bytes(payload_of(made.redact(stretch).stretch, manifest))
            written += 1
    return written


def keys_within(kept: Path, spans: Iterable[tuple[int, int]]) -> int:
    """Return how many key events with an identity capture wrote between the times of the spans.

    Args:
        kept: the raw files and their key.
        spans: first and last millisecond of the display server, of which the injector says: a secret.
    """
    wanted = tuple(spans)
    found = 0
    for _, items in _recordings(kept):
        for item in items:
            if not isinstance(item, tuple):
                continue
            for event in item:
                if isinstance(event, KEYS) and character_of(event.keysym) is not None:
                    found += any(
                        (event.time - begin) % CLOCK <= (end - begin) % CLOCK for begin, end in wanted
                    )
    return found


def _recordings(kept: Path) -> Iterator[tuple[Start, Iterator[Item]]]:
    """Yield the start of every kept raw file, and its items."""
    key = RunKey((kept / KEY_FILE).read_bytes())
    for path in sorted(kept.iterdir()):
        if path.name == KEY_FILE or not path.stat().st_size:
            continue
        with path.open("rb") as file:
            reader = RawReader(file, key.sealer(path.name))
            yield reader.start, reader.items()
