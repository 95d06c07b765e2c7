"""Make this folder's vectors anew: ``python -m tests.vectors.formats.make`` from the repository root.

The committed vectors are normative: make them anew only together with a new version of a format. Compressors
may give other bytes for the same content; what the files mean stays the same.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path

from tests.unit.formats import dataset_forge, forge, raw_forge
from tests.unit.formats.describe import describe_raw, describe_recording
from understudy.formats.raw.reader import RawReader
from understudy.formats.recording.reader import RecordingReader
from understudy.formats.spelling import spell
from understudy.sealing.signing import document_hash

FOLDER = Path(__file__).parent


def write(name: str, ending: str, valid: bytes, broken: Mapping[str, bytes]) -> None:
    """Write one folder: the valid file, the broken ones, and the list of codes."""
    folder = FOLDER / name
    for old in folder.glob(f"*.{ending}"):
        old.unlink()
    listed: dict[str, str | None] = {f"valid.{ending}": None}
    (folder / f"valid.{ending}").write_bytes(valid)
    for code, data in broken.items():
        listed[f"{code}.{ending}"] = code
        (folder / f"{code}.{ending}").write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n")


def main() -> None:
    """Write all three folders."""
    recording = forge.with_parts()
    write("recording", "recording", recording, {code.value: make() for code, make in forge.CASES.items()})
    described = describe_recording(RecordingReader(io.BytesIO(recording)))
    (FOLDER / "recording" / "valid.json").write_text(json.dumps(described, indent=1) + "\n")

    raw = raw_forge.small_file()
    write("raw", "raw", raw, {code.value: make() for code, make in raw_forge.CASES.items()})
    described = describe_raw(RawReader(io.BytesIO(raw), raw_forge.StandIn()))
    (FOLDER / "raw" / "valid.json").write_text(json.dumps(described, indent=1) + "\n")

    manifest = spell(dataset_forge.MANIFEST)
    cases = {code.value: make() for code, make in dataset_forge.CASES.items()}
    write("dataset", "manifest", manifest, cases)
    (FOLDER / "dataset" / "hash.txt").write_text(document_hash(dataset_forge.MANIFEST) + "\n")


if __name__ == "__main__":
    main()
