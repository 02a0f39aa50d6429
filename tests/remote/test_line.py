"""A line over https: to the address that was checked, and only to the host that the certificate names."""

import gc
import shutil
import ssl
import subprocess
import warnings

import pytest
from faults.answers import LOOPBACK
from faults.server import FaultServer, SkippingClock

from terrashot.errors import NetworkError
from terrashot.remote.address import AddressRules
from terrashot.remote.budget import Budget, Limits
from terrashot.remote.client import Client
from terrashot.remote.ranges import RemoteRanges


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of the host archive.local, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=archive.local", "-addext", "subjectAltName=DNS:archive.local"]
    subprocess.run(
        [*command, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True
    )
    return folder / "cert.pem", folder / "key.pem"


def read_over_tls(certificate, host, trusted):
    cert, key = certificate
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(cert, key)
    trust = ssl.create_default_context(cafile=cert) if trusted else ssl.create_default_context()
    with FaultServer({"/a": b"abcdef"}, tls=ours) as server:
        rules = AddressRules(frozenset({host}))
        budget = Budget(Limits(max_attempts=2, stall_s=2), SkippingClock())
        client = Client(rules, lambda name, port: [LOOPBACK], trust)
        return RemoteRanges(f"https://{host}:{server.port}/a", client, budget).read(1, 4)


def test_a_host_whose_certificate_is_trusted_is_read(certificate):
    assert read_over_tls(certificate, "archive.local", trusted=True) == b"bcd"


def test_a_host_that_the_certificate_does_not_name_is_refused(certificate):
    with pytest.raises(NetworkError, match="certificate is not trusted"):
        read_over_tls(certificate, "other.local", trusted=True)


def test_a_certificate_that_nobody_trusts_is_refused(certificate):
    with pytest.raises(NetworkError, match="certificate is not trusted"):
        read_over_tls(certificate, "archive.local", trusted=False)


@pytest.mark.parametrize("on_a_ring", [False, True])
def test_a_client_that_is_dropped_leaves_no_line_open(on_a_ring):
    with FaultServer({"/a": b"abcdef"}) as server, warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", ResourceWarning)
        client = Client(server.rules)
        assert RemoteRanges(server.url("/a"), client, Budget(Limits())).read(1, 4) == b"bcd"
        assert client._idle, "the line is kept for the next question"
        if on_a_ring:
            ring = [client]
            ring.append(ring)
            del ring
        del client
        gc.collect()
    # Only of this server: what other tests left may be collected here too.
    assert [str(one.message) for one in found if f"'127.0.0.1', {server.port}" in str(one.message)] == []
