"""https: whoever trusts a certificate is answered; whoever does not sends nothing."""

import datetime as dt
import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from tests.unit.web.homes import Homes
from understudy.client.custodian import answer_of
from understudy.client.http import Connection
from understudy.consent.errors import UnavailableError, UnderstudyError
from understudy.contract.errors import AnswerError
from understudy.contract.messages import Health
from understudy.contract.routes import HEALTH
from understudy.web.config import WitnessConfig, read_config, write_config


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a throw-away certificate for 127.0.0.1; its key lies beside it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "k.pem").write_bytes(private)
    return folder / "c.pem"


@pytest.fixture
def port(fresh: Homes, certificate: Path) -> Iterator[int]:
    """Run the witness with the certificate and return its port."""
    home, number = fresh.root / "witness", fresh.ports.witness
    config = read_config(home, WitnessConfig)
    key = str(certificate.with_name("k.pem"))
    write_config(home, replace(config, certificate=str(certificate), certificate_key=key))
    command = (sys.executable, "-m", "understudy", "witness", "serve", "--home", str(home))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert f"https://127.0.0.1:{number}" in process.stderr.readline()
            yield number
        finally:
            process.terminate()


def test_whoever_trusts_the_certificate_is_answered_and_whoever_does_not_sends_nothing(
    port: int, certificate: Path
) -> None:
    address = f"https://127.0.0.1:{port}"
    trusting = Connection(address, trust_file=str(certificate))
    assert answer_of(Health, trusting.call(HEALTH)).role == "witness"
    with pytest.raises(AnswerError, match="not trusted"):
        Connection(address).call(HEALTH)
    with pytest.raises(UnderstudyError):
        Connection(f"https://localhost:{port}", trust_file=str(certificate)).call(HEALTH)
    with pytest.raises(UnavailableError):
        Connection(f"http://127.0.0.1:{port}").call(HEALTH)
