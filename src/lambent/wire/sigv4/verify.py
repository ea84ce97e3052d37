"""Verifying a signature: the order of the checks, and what is learned when all hold."""

import asyncio
import hmac
from functools import lru_cache
from hashlib import sha256

import msgspec

from lambent.base.clock import Clock
from lambent.http.message import Request
from lambent.model.credential import Credential, CredentialSource
from lambent.wire.sigv4.authorization import ALGORITHM, Authorization, Claim, read_authorization
from lambent.wire.sigv4.canonical import S3_SIGNING_NAMES, canonical_request
from lambent.wire.sigv4.chunked import STREAMING_PREFIX, ChunkSignatures, unpack_body
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.sigv4.keys import SigningKey, SigningKeys
from lambent.wire.sigv4.moment import check_moment, epoch_of, timestamp_of
from lambent.wire.sigv4.streamed import UNSIGNED_PAYLOAD, guard_stream

_IN_A_THREAD_BYTES = 64 * 1024
_PAYLOAD_HASH = "x-amz-content-sha256"
"""Larger bodies are hashed in a thread: a megabyte takes 2.5 ms, in which nobody else would be served."""


class Verified(msgspec.Struct):
    """Who signed; `region` and `service` (a signing name) are of the scope. Unsigned (--dev): no service."""

    credential: Credential
    region: str
    service: str | None


class Verifier:
    def __init__(self, credentials: CredentialSource, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._keys = SigningKeys()
        # Clients sign many requests in one second.
        self._epoch_of = lru_cache(maxsize=64)(epoch_of)

    async def verify(self, request: Request) -> Verified:
        """Raises SignatureError. A body in aws-chunked is unpacked in place, once its request is verified."""
        authorization = read_authorization(request)
        claim = authorization.claim
        timestamp = timestamp_of(request, authorization)
        credential = self._find(authorization)
        now = self._clock.now()
        check_moment(authorization, timestamp, self._epoch_of(timestamp), now)
        _check_signed_headers(request, claim)
        payload_hash = _known_hash(request, authorization)
        if payload_hash is None:
            payload_hash = await _computed_hash(request)
        key = self._keys.find(credential.secret_access_key, claim.date, claim.region, claim.service)
        _check_signature(request, authorization, timestamp, payload_hash, key)
        if credential.expires_at is not None and now >= credential.expires_at:
            raise SignatureError(Fault.EXPIRED_TOKEN, "The security token included in the request is expired")
        if payload_hash.startswith(STREAMING_PREFIX):
            chain = ChunkSignatures(key.raw, timestamp, claim.scope, authorization.signature)
            await unpack(request, chain)
        elif request.stream is not None:
            guard_stream(request, payload_hash, None)
        return Verified(credential, claim.region, claim.service)

    def _find(self, authorization: Authorization) -> Credential:
        token = authorization.session_token
        credential = self._credentials.find(authorization.claim.access_key_id, token)
        if credential is None:
            raise SignatureError(
                Fault.UNKNOWN_KEY,
                "The security token included in the request is invalid.",
                {"AWSAccessKeyId": authorization.claim.access_key_id},
            )
        if token != credential.session_token and not hmac.compare_digest(
            (token or "").encode("latin-1"), (credential.session_token or "").encode("latin-1")
        ):
            raise SignatureError(Fault.WRONG_TOKEN, "The security token included in the request is invalid.")
        return credential


async def unpack(request: Request, signatures: ChunkSignatures | None) -> None:
    """`unpack_body`, in a thread where that takes long; of a stream, as it is read. Raises SignatureError."""
    if request.stream is not None:
        guard_stream(request, request.headers[_PAYLOAD_HASH], signatures)
    elif len(request.body) > _IN_A_THREAD_BYTES:
        await asyncio.to_thread(unpack_body, request, signatures)
    else:
        unpack_body(request, signatures)


def _known_hash(request: Request, authorization: Authorization) -> str | None:
    """The last line of the canonical request: the body's hash, or the word for a body that is not covered by it. None
    where the body is large enough to be hashed elsewhere."""
    claimed = request.headers.get(_PAYLOAD_HASH)
    if claimed is None:
        if authorization.presigned and authorization.claim.service in S3_SIGNING_NAMES:
            return UNSIGNED_PAYLOAD
    elif claimed == UNSIGNED_PAYLOAD or claimed.startswith(STREAMING_PREFIX):
        return claimed
    if request.stream is not None:
        return claimed or _sha256_hex(b"")  # checked when it was read: see `streamed`
    if len(request.body) > _IN_A_THREAD_BYTES:
        return None
    return _as_claimed(claimed, _sha256_hex(request.body))


async def _computed_hash(request: Request) -> str:
    computed = await asyncio.to_thread(_sha256_hex, request.body)
    return _as_claimed(request.headers.get(_PAYLOAD_HASH), computed)


def _as_claimed(claimed: str | None, computed: str) -> str:
    if claimed is not None and claimed != computed:
        raise SignatureError(
            Fault.PAYLOAD_MISMATCH,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            {"ClientComputedContentSHA256": claimed, "S3ComputedContentSHA256": computed},
        )
    return computed


def _sha256_hex(body: bytes) -> str:
    return sha256(body).hexdigest()


def _check_signed_headers(request: Request, claim: Claim) -> None:
    """What says where a request goes and how it is meant must be signed: Host, and all that begins with
    X-Amz-."""
    signed = claim.signed
    if "host" not in signed:
        raise SignatureError(
            Fault.UNSIGNED_HEADER,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            {"HeadersNotSigned": "host"},
        )
    unsigned = [name for name in request.headers.keys() - signed if name.startswith("x-amz-")]
    if unsigned == [_PAYLOAD_HASH] and claim.service in S3_SIGNING_NAMES:
        return  # the signature covers it: as the hash of the payload
    if unsigned:
        names = sorted(set(unsigned) - {_PAYLOAD_HASH}) or unsigned
        raise SignatureError(
            Fault.UNSIGNED_HEADER,
            f"'{names[0]}' must be a 'SignedHeader' in the AWS Authorization.",
            {"HeadersNotSigned": ", ".join(names)},
        )


def _check_signature(
    request: Request, authorization: Authorization, timestamp: str, payload_hash: str, key: SigningKey
) -> None:
    claim = authorization.claim
    canonical = canonical_request(
        request, claim, payload_hash, s3=claim.service in S3_SIGNING_NAMES, presigned=authorization.presigned
    )
    text = f"{ALGORITHM}\n{timestamp}\n{claim.scope}\n{_sha256_hex(canonical.encode('latin-1'))}"
    if not hmac.compare_digest(key.sign(text).encode(), authorization.signature.encode("latin-1")):
        raise _mismatch(authorization, canonical, text)


def _mismatch(authorization: Authorization, canonical: str, text: str) -> SignatureError:
    return SignatureError(
        Fault.MISMATCH,
        "The request signature we calculated does not match the signature you provided. Check your AWS "
        "Secret Access Key and signing method. Consult the service documentation for details.\n\n"
        f"The Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{text}'\n",
        {
            "AWSAccessKeyId": authorization.claim.access_key_id,
            "StringToSign": text,
            "SignatureProvided": authorization.signature,
            "StringToSignBytes": text.encode("latin-1").hex(" "),
            "CanonicalRequest": canonical,
            "CanonicalRequestBytes": canonical.encode("latin-1").hex(" "),
        },
    )
