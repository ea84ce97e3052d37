"""Signature Version 2 in the query of a URL, which is what boto3 presigns S3's requests with unless it is told
otherwise.

Only that: a header signed so is refused. Source:
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
"""

import hmac
from base64 import b64encode
from urllib.parse import parse_qsl, unquote

from lambent.http.message import Request
from lambent.model.credential import Credential, CredentialSource
from lambent.model.error import ServiceException
from lambent.wire.s3_hosts import bucket_of_host
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.timestamps import format_iso8601

_SIGNED_PARAMETERS = frozenset(
    {
        "accelerate",
        "acl",
        "cors",
        "delete",
        "lifecycle",
        "location",
        "logging",
        "notification",
        "partNumber",
        "policy",
        "replication",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    }
)


class IncompleteQuery(ServiceException):
    """A presigned URL that lacks something."""

    _code = "AccessDenied"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        )


def is_presigned(request: Request) -> bool:
    return any(pair.startswith(("AWSAccessKeyId=", "Signature=")) for pair in request.query.split("&"))


def verify_query(request: Request, credentials: CredentialSource, now: float) -> Credential:
    """Whoever signed it. What was signed as a header and travels in the query is a header then. Raises
    IncompleteQuery, SignatureError."""
    given = dict(parse_qsl(request.query, keep_blank_values=True))
    expires = given.get("Expires", "")
    if not given.keys() >= {"AWSAccessKeyId", "Signature"} or not expires.isascii() or not expires.isdigit():
        raise IncompleteQuery()
    for name, value in given.items():
        if name.lower().startswith("x-amz-") or name.lower() in ("content-type", "content-md5"):
            request.headers.setdefault(name.lower(), value)
    credential = find_credential(credentials, given["AWSAccessKeyId"], given.get("x-amz-security-token"))
    text = _string_to_sign(request, expires)
    expected = sign(credential.secret_access_key, text)
    if not hmac.compare_digest(expected.encode(), given["Signature"].encode()):
        raise mismatch(credential, text, given["Signature"])
    if now > int(expires):
        moments = {"Expires": _written(int(expires)), "ServerTime": _written(now)}
        raise SignatureError(Fault.PRESIGNED_EXPIRED, "Request has expired", moments)
    if credential.expires_at is not None and now >= credential.expires_at:
        raise SignatureError(Fault.EXPIRED_TOKEN, "")
    return credential


def mismatch(credential: Credential, text: str, given: str) -> SignatureError:
    """`given` is no signature of a text by whoever the credential is of."""
    members = {
        "AWSAccessKeyId": credential.access_key_id,
        "StringToSign": text,
        "SignatureProvided": given,
        "StringToSignBytes": text.encode().hex(" "),
    }
    return SignatureError(Fault.MISMATCH, "", members)


def _written(moment: float) -> str:
    try:
        return format_iso8601(int(moment))
    except ValueError:  # no calendar has such a day
        return str(int(moment))


def find_credential(credentials: CredentialSource, key_id: str, token: str | None) -> Credential:
    """Raises SignatureError."""
    found = credentials.find(key_id, token)
    if found is None or found.session_token != token:
        raise SignatureError(Fault.UNKNOWN_KEY, "", {"AWSAccessKeyId": key_id})
    return found


def sign(secret: str, text: str) -> str:
    return b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def _string_to_sign(request: Request, expires: str) -> str:
    headers = request.headers
    standard = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), expires]
    custom = [f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-amz-")]
    bucket = bucket_of_host(headers.get("host", ""))
    path = request.path if bucket is None else f"/{bucket}{request.path}"
    if path.count("/") == 1:  # a bucket's own path ends with a slash, whether it is written or not
        path += "/"
    return "\n".join([*standard, "".join(custom) + path + _signed_query(request.query)])


def _signed_query(query: str) -> str:
    kept = []
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        if name in _SIGNED_PARAMETERS:
            kept.append(f"{name}={unquote(value)}" if equals else name)
    return "?" + "&".join(sorted(kept)) if kept else ""
