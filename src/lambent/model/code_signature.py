"""How a zip file is signed: a file of its own in it, that says which files there are and who vouches for them.

META-INF/aws_signer_signature_v1.0.SF (the name that AWS Signer gives it) is a JSON Web Signature in compact form,
ES384. Its payload: `content` (SHA-384, hexadecimal, over a line "<SHA-256> <mode> <name>" for each other entry, by
name), `profile` and `job` (ARNs), `signed_at` and `expires_at` (epoch seconds). The key is the installation's, derived
from its master key: signing and verifying need no storage, and what another installation signed is not intact here.
"""

import hashlib
import io
import zipfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from functools import cached_property

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from lambent.model.code_signing import CodeSignature

SIGNATURE_FILE = "META-INF/aws_signer_signature_v1.0.SF"
_HEADER = b'{"alg":"ES384","typ":"code-signature+jws"}'
_SIGNATURE_LARGEST = 16_384
_NUMBER_BYTES = 48
_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
"""Of the curve P-384."""
_ECDSA = ec.ECDSA(hashes.SHA384())


class _Payload(msgspec.Struct, frozen=True):
    content: str
    profile: str
    job: str
    signed_at: float
    expires_at: float


class CodeSigner:
    """`secret` has 32 bytes at least. All methods block, for as long as hashing the archive's files takes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        number = int.from_bytes(hashlib.shake_256(b"code signer" + self._secret).digest(64))
        return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP384R1())

    @property
    def certificate_hash(self) -> str:
        """Names the key, as a certificate's hash would (SHA-384, hexadecimal)."""
        numbers = self._key.public_key().public_numbers()
        return hashlib.sha384(f"{numbers.x:096x}{numbers.y:096x}".encode()).hexdigest()

    def sign(self, archive: bytes, signature: CodeSignature) -> bytes:
        """The archive with the signature in it, in the place of one that it had. Raises zipfile.BadZipFile."""
        content = _content_of(archive)
        payload = _Payload(
            content,
            signature.profile_version_arn,
            signature.job_arn,
            signature.signed_at,
            signature.expires_at,
        )
        signed = b".".join((_encode(_HEADER), _encode(msgspec.json.encode(payload))))
        r, s = decode_dss_signature(self._key.sign(signed, _ECDSA))
        numbers = r.to_bytes(_NUMBER_BYTES) + s.to_bytes(_NUMBER_BYTES)
        return _with_signature(archive, b".".join((signed, _encode(numbers))))

    def read(self, archive: bytes) -> CodeSignature | None:
        """The signature of a zip file, intact or not; None where it has none. Raises zipfile.BadZipFile."""
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            try:
                info = opened.getinfo(SIGNATURE_FILE)
            except KeyError:
                return None
            text = opened.read(info) if info.file_size <= _SIGNATURE_LARGEST else b""
        try:
            payload = self._verified(text)
        except (ValueError, InvalidSignature, msgspec.DecodeError):
            return CodeSignature(profile_version_arn="", job_arn="", signed_at=0, expires_at=0, intact=False)
        signature = CodeSignature(
            profile_version_arn=payload.profile,
            job_arn=payload.job,
            signed_at=payload.signed_at,
            expires_at=payload.expires_at,
        )
        return replace(signature, intact=payload.content == _content_of(archive))

    def _verified(self, text: bytes) -> _Payload:
        signed, _, numbers = text.rpartition(b".")
        raw = _decode(numbers)
        r, s = int.from_bytes(raw[:_NUMBER_BYTES]), int.from_bytes(raw[_NUMBER_BYTES:])
        self._key.public_key().verify(encode_dss_signature(r, s), signed, _ECDSA)
        return msgspec.json.decode(_decode(signed.partition(b".")[2]), type=_Payload)


def _content_of(archive: bytes) -> str:
    """What is signed: every file but the signature's, with the mode that it is unpacked with."""
    digest = hashlib.sha384()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for info in sorted(opened.infolist(), key=lambda info: info.filename):
            if info.filename != SIGNATURE_FILE:
                with opened.open(info) as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
                digest.update(f"{content} {info.external_attr >> 16:o} {info.filename}\n".encode())
    return digest.hexdigest()


def _with_signature(archive: bytes, signature: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened, zipfile.ZipFile(packed, "w") as made:
        for info in opened.infolist():
            if info.filename != SIGNATURE_FILE:
                made.writestr(info, opened.read(info), compress_type=info.compress_type)
        made.writestr(zipfile.ZipInfo(SIGNATURE_FILE, (1980, 1, 1, 0, 0, 0)), signature)
    return packed.getvalue()


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _decode(data: bytes) -> bytes:
    """Raises ValueError."""
    return urlsafe_b64decode(data + b"=" * (-len(data) % 4))
