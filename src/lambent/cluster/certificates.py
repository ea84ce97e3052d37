"""Who may speak to a node: whoever has a certificate of the cluster's own authority, which only its nodes can sign.

A node's certificate names the node, so that who connects knows whom it has reached. None has a date that matters: nodes
may have any time of day, and what makes a node one of the cluster is the master key that its authority is sealed with.
"""

import ssl
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PROTOCOL = "lambent-node/1"
"""Named in every handshake: another version of Lambent may speak another."""
_FROM = datetime(2000, 1, 1, tzinfo=UTC)
_UNTIL = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def new_authority() -> bytes:
    """Its private key and its certificate, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("nodes of a Lambent cluster")
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem_of_key(key) + certificate.public_bytes(serialization.Encoding.PEM)


def host_name(node_id: str) -> str:
    """What a node's certificate calls it: ids may have characters that names of hosts may not."""
    return f"{sha256(node_id.encode()).hexdigest()[:32]}.node"


class NodeCertificate:
    """A node's own, made anew at each start. OpenSSL reads it from a file: `path`, for this user only."""

    def __init__(self, authority: bytes, node_id: str, path: Path) -> None:
        self._authority_key = serialization.load_pem_private_key(authority, None)
        self._authority = x509.load_pem_x509_certificate(authority)
        self._path = path
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(self._make(node_id))

    def server_context(self) -> ssl.SSLContext:
        """Of one who listens: without a certificate of the authority nobody gets through the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        return self._settled(context)

    def client_context(self) -> ssl.SSLContext:
        """Of one who connects, and says with `host_name` to whom."""
        return self._settled(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _settled(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(
            cadata=self._authority.public_bytes(serialization.Encoding.PEM).decode()
        )
        context.load_cert_chain(self._path)
        context.set_alpn_protocols([PROTOCOL])
        return context

    def _make(self, node_id: str) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        assert isinstance(self._authority_key, ec.EllipticCurvePrivateKey)
        certificate = (
            _builder(_name(node_id), self._authority.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host_name(node_id))]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority_key.public_key()),
                critical=False,
            )
            .sign(self._authority_key, hashes.SHA256())
        )
        return _pem_of_key(key) + certificate.public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
