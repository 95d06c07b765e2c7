"""A store that leaks, leaks nothing: all bytes of one party, its keys included, do not open a recording.

Strings are planted in a recording and looked for in everything that server, custodian and witness have on
disk, and that waits on the device. The same search finds every one of them where it should be found, and in
every fault that a test seeds. Shows R-35 for what is at rest.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
import zstandard

from tests.promises.conftest import Faults
from tests.promises.scene import CANARIES, Scene
from tests.promises.search import contents, decompressed, hits
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose
from understudy.contract.messages import SegmentEntry
from understudy.sealing.canonical import parse
from understudy.sealing.errors import SealingError
from understudy.sealing.half import Half
from understudy.sealing.header import SealedHalf, SegmentHeader, verify_header
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.keyfile import load_hpke, load_shred
from understudy.sealing.segment import open_half, open_segment
from understudy.sealing.shred import WrappedKey
from understudy.transparency.leaves import DeniedLeaf, encode_leaf

PARTIES = ("server", "custodian", "witness")


@pytest.fixture
def opened(scene: Scene) -> Scene:
    """The scene after somebody has opened everything once, and something still waits on the device."""
    assert set(scene.world.read(scene.grant)) >= set(scene.segments(scene.ana))
    sealed, _ = scene.ana.record(canaries=CANARIES)
    scene.ana.outbox.seal(scene.ana.held, sealed)
    scene.ana.record(canaries=CANARIES)
    return scene


class TestPlantedStrings:
    def test_the_search_finds_all_of_them_in_what_was_recorded(self, opened: Scene) -> None:
        """The control: the same contents, unsealed."""
        payloads = opened.world.read(opened.grant)
        for segment in opened.segments(opened.ana):
            found = hits(CANARIES, _with_decompressed(payloads[segment]))
            assert found == set(CANARIES)

    @pytest.mark.parametrize("party", PARTIES)
    def test_none_of_them_is_in_what_a_party_has(self, opened: Scene, party: str) -> None:
        assert hits(CANARIES, contents(opened.world.root / party)) == set()

    def test_none_of_them_is_in_what_waits_on_the_device(self, opened: Scene) -> None:
        """Held, sealed and shared: a thief of the disk without the personal key."""
        home = opened.ana.device.home
        assert any((home / "held").iterdir())
        assert any((home / "outbox").rglob("ciphertext"))
        assert hits(CANARIES, contents(home)) == set()

    def test_nobody_keeps_the_hours_that_somebody_worked(self, opened: Scene) -> None:
        """Leases, stretches and their times: presented once, and stored by nobody."""
        world = opened.world
        world.clock.advance(5_000)
        recording, _ = opened.ana.record()
        opened.ana.outbox.seal(opened.ana.held, recording)
        times = [str(recording.segments[0].started_at), str(recording.segments[0].ended_at)]
        world.clock.advance(86_400)
        opened.ana.send()
        for party in PARTIES:
            assert hits(times, contents(world.root / party)) == set()


class TestKeys:
    """What can be opened with everything that one party has, tried; and that two together can."""

    def test_with_all_keys_of_the_broker_nothing_opens(self, opened: Scene) -> None:
        keys = _broker_keys(opened)
        assert keys
        for _, header, ciphertext in _segments(opened):
            half_p = _p_half(opened, header, keys)
            for guess in _guesses(opened, header, keys, half_p):
                with pytest.raises(SealingError):
                    open_segment(header, ciphertext, half_p, guess)

    def test_with_all_keys_of_the_custodian_nothing_opens(self, opened: Scene) -> None:
        hpke = load_hpke(opened.world.home("custodian") / "keys" / "custodian-hpke.json")
        for _, header, ciphertext in _segments(opened):
            half_c = open_half("c", header, _deposited(opened, header), hpke)
            for raw in (bytes(half_c.raw), bytes(32)):
                with pytest.raises(SealingError):
                    open_segment(header, ciphertext, Half("p", raw), half_c)

    def test_with_the_keys_of_both_everything_opens(self, opened: Scene) -> None:
        """The control, and a stated limit: that is why they are run by different people."""
        keys, payloads = _broker_keys(opened), opened.world.read(opened.grant)
        hpke = load_hpke(opened.world.home("custodian") / "keys" / "custodian-hpke.json")
        for entry, header, ciphertext in _segments(opened):
            half_p = _p_half(opened, header, keys)
            half_c = open_half("c", header, _deposited(opened, header), hpke)
            assert open_segment(header, ciphertext, half_p, half_c) == payloads[entry.segment]

    def test_no_half_lies_in_clear_anywhere(self, opened: Scene) -> None:
        keys = _broker_keys(opened)
        hpke = load_hpke(opened.world.home("custodian") / "keys" / "custodian-hpke.json")
        halves: list[str | bytes] = []
        for _, header, _ in _segments(opened):
            halves.append(bytes(_p_half(opened, header, keys).raw))
            halves.append(bytes(open_half("c", header, _deposited(opened, header), hpke).raw))
        for party in PARTIES:
            assert hits(halves, contents(opened.world.root / party)) == set()

    def test_an_escrow_key_without_its_shred_key_opens_nothing(self, opened: Scene) -> None:
        """A backup of the key store alone: every row is wrapped."""
        private: list[str | bytes] = [key.seed for key in _broker_keys(opened)]
        files = opened.world.home("server").glob("keystore.sqlite*")
        assert hits(private, (path.read_bytes() for path in files)) == set()


def _plain_object(scene: Scene) -> None:
    """The vault keeps the payload beside the ciphertext."""
    payload = scene.world.read(scene.grant)[scene.segments(scene.ana)[0]]
    (scene.world.home("server") / "objects" / "cache").write_bytes(payload)


def _title_in_the_log(scene: Scene) -> None:
    """An entry names what was opened."""
    leaf = DeniedLeaf(
        programme=scene.world.programme.programme,
        request="A" * 43,
        actor="A" * 43,
        purpose=Purpose.TRAIN,
        reason="named",
        policy="A" * 43,
        time=0,
    )
    raw = encode_leaf(leaf).replace(b'"named"', b'"named ' + CANARIES[0].encode() + b'"')
    database = sqlite3.connect(scene.world.home("server") / "log.sqlite")
    with database:
        database.execute("CREATE TABLE named(leaf BLOB)")
        database.execute("INSERT INTO named VALUES (?)", (raw,))
    database.close()


def _deleted_row(scene: Scene) -> None:
    """A title was stored for a moment; the row is gone, the write-ahead log is not."""
    database = sqlite3.connect(scene.world.home("server") / "server.sqlite")
    for sql in ("CREATE TABLE title(text)", "INSERT INTO title VALUES (?)", "DELETE FROM title"):
        with database:
            database.execute(sql, (CANARIES[0],) if "?" in sql else ())
    database.close()


def _crash_dump(scene: Scene) -> None:
    """A journal line holds typed text, as JSON escapes it."""
    line = json.dumps({"typed": CANARIES[1]})
    (scene.world.home("server") / "journal.log").write_text(line)


def _wide_characters(scene: Scene) -> None:
    (scene.world.home("custodian") / "note").write_bytes(CANARIES[1].encode("utf-16-le"))


def _encoded(scene: Scene) -> None:
    """Bytes of a recording inside base64 inside a message that was kept."""
    (scene.world.home("witness") / "kept").write_text(encode_bytes(b"xx" + CANARIES[0].encode() + b"yyy"))


def _compressed(scene: Scene) -> None:
    packed = zstandard.ZstdCompressor().compress(CANARIES[0].encode() * 3)
    (scene.world.home("server") / "uploads" / "chunk").write_bytes(b"header" + packed + b"trailer")


def _url(scene: Scene) -> None:
    (scene.world.home("server") / "access.log").write_text(f"GET /search?q={quote(CANARIES[1])}")


@pytest.mark.parametrize(
    "fault",
    [
        _plain_object,
        _title_in_the_log,
        _deleted_row,
        _crash_dump,
        _wide_characters,
        _encoded,
        _compressed,
        _url,
    ],
)
def test_the_search_notices_a_store_that_does_leak(
    opened: Scene, faults: Faults, fault: Callable[[Scene], None]
) -> None:
    fault(opened)
    leaked = {party: hits(CANARIES, contents(opened.world.root / party)) for party in PARTIES}
    faults.caught(f"store: {fault.__name__.strip('_')}", caught=any(leaked.values()))


def test_a_broker_that_also_gets_the_custodians_half_is_noticed(opened: Scene, faults: Faults) -> None:
    """The device seals both halves to the broker: then its keys alone open everything."""
    hpke = load_hpke(opened.world.home("custodian") / "keys" / "custodian-hpke.json")
    keys = [*_broker_keys(opened), hpke]
    opens = []
    for _, header, ciphertext in _segments(opened):
        half_p = _p_half(opened, header, keys)
        for guess in _guesses(opened, header, keys, half_p):
            try:
                opens.append(open_segment(header, ciphertext, half_p, guess))
            except SealingError:
                continue
    faults.caught("store: the broker has the custodian's key", caught=len(opens) == len(_segments(opened)))


def _with_decompressed(raw: bytes) -> Iterator[bytes]:
    yield raw
    yield from decompressed(raw)


def _segments(scene: Scene) -> list[tuple[SegmentEntry, SegmentHeader, bytes]]:
    """Return entry, header and ciphertext of everything the server has."""
    found = []
    for entry in scene.world.entries(scene.grant):
        header = verify_header(entry.header, entry.header.signers)
        found.append((entry, header, scene.world.server.vault.ciphertext(entry.segment)))
    return found


def _broker_keys(scene: Scene) -> list[HpkePrivateKey]:
    """Return every HPKE private key that can be had from the server's files."""
    home = scene.world.home("server")
    shred = load_shred(home / "keys" / "shred.json")
    database = sqlite3.connect(home / "keystore.sqlite")
    rows = database.execute("SELECT wrapped FROM escrow_key").fetchall()
    database.close()
    keys = [shred.unwrap(parse(WrappedKey, row[0])) for row in rows]
    signing = (scene.world.cast.server, scene.world.cast.escrow_issuer, scene.world.cast.checkpoint)
    return [*keys, *(HpkePrivateKey.from_seed(key.seed) for key in (*signing, scene.world.cast.log))]


def _p_half(scene: Scene, header: SegmentHeader, keys: list[HpkePrivateKey]) -> Half:
    database = sqlite3.connect(scene.world.home("server") / "keystore.sqlite")
    row = database.execute("SELECT sealed FROM half WHERE segment = ?", (header.seal.segment,)).fetchone()
    database.close()
    for key in keys:
        try:
            return open_half("p", header, SealedHalf(role="p", sealed=encode_bytes(row[0])), key)
        except SealingError:
            continue
    raise AssertionError("the broker cannot open its own half")


def _guesses(scene: Scene, header: SegmentHeader, keys: list[HpkePrivateKey], half_p: Half) -> Iterator[Half]:
    """Yield whatever the broker can put in the place of the other half."""
    yield Half("c", bytes(half_p.raw))
    yield Half("c", bytes(32))
    sealed = _deposited(scene, header)
    for key in keys:
        try:
            yield open_half("c", header, sealed, key)
        except SealingError:
            continue


def _deposited(scene: Scene, header: SegmentHeader) -> SealedHalf:
    """Return the custodian's sealed half, as it went over the line and lies in its store."""
    database = sqlite3.connect(scene.world.home("custodian") / "custodian.sqlite")
    row = database.execute("SELECT sealed FROM deposits WHERE segment = ?", (header.seal.segment,)).fetchone()
    database.close()
    return SealedHalf(role="c", sealed=encode_bytes(row[0]))
