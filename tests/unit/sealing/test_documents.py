"""The normative pages say what the program does."""

import re
from pathlib import Path

import pytest

from understudy.consent.contexts import Context
from understudy.sealing import chunked, header, hpke, keyfile, padding, recovery, release
from understudy.sealing.held import SEALED_KEY_BYTES
from understudy.sealing.signing import MAX_SIGNATURES

FORMATS = Path(__file__).parents[3] / "docs" / "formats"
ENCODING = (FORMATS / "encoding.md").read_text()
SEALING = (FORMATS / "sealing.md").read_text()


def test_the_table_of_contexts_is_the_enum() -> None:
    table = ENCODING[ENCODING.index("<!-- contexts:") : ENCODING.index("<!-- end of contexts -->")]
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.MULTILINE)
    names = [name for name, _ in rows]
    assert sorted(names) == sorted(context.value for context in Context)
    assert all(covers.strip() for _, covers in rows)


def test_contexts_name_a_type_and_a_version_and_hold_no_zero_byte() -> None:
    for context in Context:
        assert re.fullmatch(r"understudy/v[1-9]\d*/[a-z]+(-[a-z]+)*", context.value)
        assert context.value.split("/")[-1].replace("-", "_").upper() == context.name


def test_every_context_that_the_sealing_page_uses_exists() -> None:
    used = set(re.findall(r"understudy/v1/[a-z-]+", SEALING))
    assert used <= {context.value for context in Context}
    assert len(used) > 10


@pytest.mark.parametrize(
    "stated",
    [
        f"KEM | 0x{hpke.KEM_ID:04x} ",
        f"KDF | 0x{hpke.KDF_ID:04x} ",
        f"AEAD | 0x{hpke.AEAD_ID:04x} ",
        f"`enc` ({hpke.ENC_BYTES:,} bytes",
        f"so {hpke.OVERHEAD_BYTES:,} bytes longer",
        f"Chunks hold {chunked.CHUNK_BYTES:,} bytes",
        f"salt ({chunked.SALT_BYTES}) ‖ commitment ({chunked.COMMITMENT_BYTES})",
        f"from {padding.MIN_BUCKET_BYTES:,} to {padding.MAX_BUCKET_BYTES:,}",
        f"at most {padding.MAX_PAYLOAD_BYTES:,}",
        f"{min(padding.CIPHERTEXT_SIZES):,} for the smallest bucket",
        f"at most {header.MAX_HEADER_BYTES:,} bytes",
        f"1 to {header.MAX_SOURCES:,}, of the opens",
        f"1 to {release.MAX_HALVES:,} halves",
        f"The {recovery.CODE_CHARACTERS} values",
        f"chunk key ({SEALED_KEY_BYTES:,} bytes)",
        f"at most {keyfile.MAX_FILE_BYTES:,} bytes",
        f"r = {keyfile.SCRYPT_R}, p = {keyfile.SCRYPT_P}",
    ],
)
def test_a_number_on_the_sealing_page_is_the_programs(stated: str) -> None:
    assert stated in re.sub(r"\s+", " ", SEALING)


def test_the_scrypt_cost_and_the_signature_limit_are_as_stated() -> None:
    assert keyfile.SCRYPT_N == 2**17
    assert "N = 2¹⁷" in SEALING
    assert f"at most {MAX_SIGNATURES} signatures" in ENCODING


def test_every_field_of_the_header_is_on_the_page() -> None:
    for kind in (header.SealContext, header.SegmentHeader):
        for field in kind.__struct_fields__:
            assert f"| `{field}` |" in SEALING, field
