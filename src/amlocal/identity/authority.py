"""The certificate authority of a workspace, and the server certificate that it signs."""

import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from amlocal.core.paths import WorkspaceFolder, write_private

_YEARS = timedelta(days=3650)
_PEM = serialization.Encoding.PEM


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _YEARS)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _make_authority(name: str, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _builder(_name(name), _name(name), key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _make_server(
    authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        _builder(_name("amlocal server"), authority.subject, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        # Python 3.13 verifies strictly: a leaf must name its authority's key.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return certificate, key


def public_roots(environ: Mapping[str, str], own: Path) -> bytes:
    """Return the roots that the user's programs trust today: the bundle replaces them, so they must go along.

    Those already set by REQUESTS_CA_BUNDLE and SSL_CERT_FILE are kept (a company's proxy, say), unless they are `own`;
    otherwise certifi's.
    """
    named = dict.fromkeys(Path(environ[name]) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE") if environ.get(name))
    chosen = [path for path in named if path.is_file() and path.name != own.name] or [Path(certifi.where())]
    return b"\n".join(path.read_bytes().rstrip() for path in chosen)


def ensure_certificates(folder: WorkspaceFolder, workspace: str, now: datetime, environ: Mapping[str, str]) -> None:
    """Make the server's certificate and the bundle that vouches for it, unless both are there.

    The authority signs this one certificate, and its key is thrown away: whoever trusts the bundle need fear no other.
    """
    if folder.certificate.exists() and folder.bundle.exists():
        return
    authority, authority_key = _make_authority(f"amlocal {workspace}", now)
    certificate, key = _make_server(authority, authority_key, now)
    roots = public_roots(environ, folder.bundle).rstrip()
    folder.certificate.unlink(missing_ok=True)  # an old one would not fit the new bundle
    write_private(folder.bundle, roots + b"\n" + authority.public_bytes(_PEM))
    write_private(folder.certificate, _pem(key) + certificate.public_bytes(_PEM))
