import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import certifi
import pytest
from cryptography import x509

from amlocal.core.paths import WorkspaceFolder
from amlocal.identity.authority import ensure_certificates, public_roots

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> WorkspaceFolder:
    folder = WorkspaceFolder(tmp_path / "workspace")
    folder.create()
    # The system's clock checks the certificates in a handshake.
    ensure_certificates(folder, "ws", datetime.now(UTC), {})
    return folder


def trusting(bundle: Path, *, strict: bool = True) -> ssl.SSLContext:
    """Return a client's context as Python 3.13 makes it by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def shake_hands(client: ssl.SSLContext, certificate: Path, name: str) -> None:
    """Let a client and a server greet each other in memory. Raises `ssl.SSLError` when the client refuses."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        ends = [end for end in ends if not done(end.do_handshake)]
    assert not ends


def done(step: Callable[[], None]) -> bool:
    try:
        step()
    except ssl.SSLWantReadError:
        return False
    return True


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("strict", [True, False])
def test_a_client_that_trusts_the_bundle_connects(folder: WorkspaceFolder, name: str, strict: bool) -> None:
    shake_hands(trusting(folder.bundle, strict=strict), folder.certificate, name)


def test_a_client_that_trusts_the_public_roots_alone_refuses(folder: WorkspaceFolder) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(trusting(Path(certifi.where())), folder.certificate, "127.0.0.1")


def test_the_certificate_is_for_no_other_name(folder: WorkspaceFolder) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(trusting(folder.bundle), folder.certificate, "127.0.0.2")


def authority(folder: WorkspaceFolder) -> x509.Certificate:
    """Return the authority: the last certificate of the bundle."""
    begin = b"-----BEGIN CERTIFICATE-----"
    return x509.load_pem_x509_certificate(begin + folder.bundle.read_bytes().rpartition(begin)[2])


def test_the_bundle_holds_the_public_roots_too(folder: WorkspaceFolder) -> None:
    assert folder.bundle.read_bytes().startswith(Path(certifi.where()).read_bytes().rstrip())


def test_the_authority_signs_servers_and_no_further_authorities(folder: WorkspaceFolder) -> None:
    constraints = authority(folder).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


def test_the_server_certificate_is_no_authority(folder: WorkspaceFolder) -> None:
    leaf = x509.load_pem_x509_certificates(folder.certificate.read_bytes())[0]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_key_of_the_server_is_for_its_owner_alone(folder: WorkspaceFolder) -> None:
    assert stat.S_IMODE(folder.certificate.stat().st_mode) == 0o600


def test_the_key_of_the_authority_is_kept_nowhere(folder: WorkspaceFolder) -> None:
    content = b"".join(path.read_bytes() for path in folder.root.rglob("*") if path.is_file())
    assert content.count(b"PRIVATE KEY-----") == 2  # begin and end of the server's own


def files(folder: WorkspaceFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder.certificate, folder.bundle)}


def test_certificates_that_are_there_stay(folder: WorkspaceFolder) -> None:
    before = files(folder)
    ensure_certificates(folder, "ws", NOW, {})
    assert files(folder) == before


@pytest.mark.parametrize("lost", ["server.pem", "ca-bundle.pem"])
def test_what_was_lost_is_made_anew_and_fits_together(folder: WorkspaceFolder, lost: str) -> None:
    (folder.root / lost).unlink()
    ensure_certificates(folder, "ws", datetime.now(UTC), {})
    shake_hands(trusting(folder.bundle), folder.certificate, "127.0.0.1")


def test_two_workspaces_do_not_trust_each_other(folder: WorkspaceFolder, tmp_path: Path) -> None:
    other = WorkspaceFolder(tmp_path / "other")
    other.create()
    ensure_certificates(other, "ws", datetime.now(UTC), {})
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(trusting(other.bundle), folder.certificate, "127.0.0.1")


def test_a_bundle_of_the_users_is_kept(tmp_path: Path) -> None:
    company = tmp_path / "company.pem"
    company.write_bytes(b"a company's roots")
    assert public_roots({"REQUESTS_CA_BUNDLE": str(company)}, tmp_path / "ca-bundle.pem") == b"a company's roots"


@pytest.mark.parametrize("chosen", ["", "missing.pem", "ca-bundle.pem"])
def test_without_a_bundle_of_the_users_certifis_roots_are_taken(tmp_path: Path, chosen: str) -> None:
    # One called as ours is ours, of this workspace or of the one that this shell was led to before.
    (tmp_path / "ca-bundle.pem").write_bytes(b"an older bundle")
    environ = {"REQUESTS_CA_BUNDLE": str(tmp_path / chosen) if chosen else ""}
    assert public_roots(environ, tmp_path / "ca-bundle.pem") == Path(certifi.where()).read_bytes().rstrip()


def test_both_bundles_of_the_users_are_kept_and_one_of_two_names_once(tmp_path: Path) -> None:
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    paths = {name: tmp_path / name for name in names}
    for name, path in paths.items():
        path.write_text(f"{name}\n")
    own = tmp_path / "ca-bundle.pem"
    assert public_roots({name: str(path) for name, path in paths.items()}, own) == b"REQUESTS_CA_BUNDLE\nSSL_CERT_FILE"
    assert public_roots(dict.fromkeys(names, str(paths["SSL_CERT_FILE"])), own) == b"SSL_CERT_FILE"
