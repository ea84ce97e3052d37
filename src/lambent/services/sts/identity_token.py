"""Tokens of OpenID Connect: what one claims, and whether its issuer's key signed it.

Source: RFC 7515, RFC 7518 and RFC 7519; https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lambent.services.sts.errors import InvalidIdentityToken

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES: Mapping[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_CURVE_OF = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@dataclass(frozen=True, slots=True)
class IdentityToken:
    algorithm: str
    key_id: str | None
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    def text(self, claim: str) -> str | None:
        value = self.claims.get(claim)
        return value if isinstance(value, str) else None

    def time(self, claim: str) -> float | None:
        value = self.claims.get(claim)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def audiences(self) -> tuple[str, ...]:
        """Who it is for: the party that it was issued to, where it names one beside its audience."""
        if (party := self.text("azp")) is not None:
            return (party,)
        audience = self.claims.get("aud")
        found = audience if isinstance(audience, list) else [audience]
        return tuple(one for one in found if isinstance(one, str))


def read_token(token: str) -> IdentityToken:
    """Raises InvalidIdentityToken. Nothing is verified yet."""
    parts = token.split(".")
    try:
        head, claims = (json.loads(_decoded(part)) for part in parts[:2])
        signature = _decoded(parts[2])
        well_formed = len(parts) == 3 and isinstance(head, dict) and isinstance(claims, dict)
        algorithm, key_id = head["alg"], head.get("kid")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        well_formed = False
    if not well_formed:
        raise InvalidIdentityToken(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        )
    return IdentityToken(
        str(algorithm),
        key_id if isinstance(key_id, str) else None,
        claims,
        f"{parts[0]}.{parts[1]}".encode(),
        signature,
    )


def signed_by(token: IdentityToken, key: Mapping[str, Any]) -> bool:
    """Whether this key of the issuer (a JWK) made the token's signature. Keys of other kinds made none."""
    kind, bits = token.algorithm[:2], token.algorithm[2:]
    if (
        bits not in _HASHES
        or key.get("use", "sig") != "sig"
        or key.get("alg", token.algorithm) != token.algorithm
    ):
        return False
    try:
        if kind in ("RS", "PS") and key.get("kty") == "RSA":
            return _signed_by_rsa(token, key, _HASHES[bits], probabilistic=kind == "PS")
        if kind == "ES" and key.get("kty") == "EC" and key.get("crv") == _CURVE_OF[token.algorithm]:
            return _signed_by_ec(token, key, _HASHES[bits])
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return False


def _signed_by_rsa(
    token: IdentityToken, key: Mapping[str, Any], digest: hashes.HashAlgorithm, *, probabilistic: bool
) -> bool:
    public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
    pad = (
        padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH) if probabilistic else padding.PKCS1v15()
    )
    public.verify(token.signature, token.signed, pad, digest)
    return True


def _signed_by_ec(token: IdentityToken, key: Mapping[str, Any], digest: hashes.HashAlgorithm) -> bool:
    curve = _CURVES[key["crv"]]
    public = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), curve).public_key()
    half = (curve.key_size + 7) // 8
    if len(token.signature) != 2 * half:
        return False
    r, s = (int.from_bytes(part, "big") for part in (token.signature[:half], token.signature[half:]))
    public.verify(encode_dss_signature(r, s), token.signed, ec.ECDSA(digest))
    return True


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text), "big")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
