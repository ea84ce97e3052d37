"""Signatures of notifications, and the certificate by which they are verified.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

CERTIFICATE_PATH = "/SimpleNotificationService-"
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_VALID_DAYS = 3650

Shared = Callable[[str, Callable[[], bytes]], Awaitable[bytes]]
"""The secret of a name that all nodes share, and how the first makes it."""


class Signer:
    """One RSA key and its certificate, made at the first start and kept: `shared` returns what was made first."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._key: rsa.RSAPrivateKey
        self.certificate = b""
        """PEM."""

    async def open(self) -> None:
        made = await self._shared("sns-signing-key.pem", _new_key)
        loaded = serialization.load_pem_private_key(made, password=None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        self._key = loaded
        self.certificate = await self._shared("sns-signing-certificate.pem", lambda: _certificate(loaded))

    @property
    def certificate_name(self) -> str:
        """The path that it is served at."""
        return f"{CERTIFICATE_PATH}{sha256(self.certificate).hexdigest()[:32]}.pem"

    def sign(self, members: Mapping[str, str], version: str) -> str:
        """Of a notification or a confirmation; `version` is the topic's SignatureVersion."""
        names = _NOTIFICATION if members["Type"] == "Notification" else _CONFIRMATION
        text = "".join(f"{name}\n{members[name]}\n" for name in names if members.get(name) is not None)
        digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - version 1 is defined so
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), digest)).decode()


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)
