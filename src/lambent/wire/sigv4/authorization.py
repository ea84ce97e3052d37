"""What a request says about who signed it: the Authorization header, or the X-Amz-* parameters of a
presigned URL."""

import re
from functools import lru_cache
from urllib.parse import unquote

import msgspec

from lambent.http.message import Request
from lambent.wire.sigv4.errors import Fault, SignatureError

ALGORITHM = "AWS4-HMAC-SHA256"
EXPIRES_MAX_SECONDS = 604_800
_QUERY_NAMES = frozenset(
    {
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
    }
)
_REGION_FORM = r"[a-z]{2,8}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}|aws(?:-[a-z]+)*-global"
_SERVICE_FORM = r"[a-z0-9-]{1,64}"
_REGION = re.compile(_REGION_FORM)
_EXPECTED_REGION = "us-east-1"
"""Told by S3 for one that is none: clients (s3cmd, which begins with 'US') sign again for it."""
_SERVICE = re.compile(_SERVICE_FORM)
_USUAL_HEADER = re.compile(
    rf"AWS4-HMAC-SHA256 Credential=([^/,=\s]+)/([0-9]{{8}})/({_REGION_FORM})/({_SERVICE_FORM})/aws4_request,"
    r" ?SignedHeaders=([a-z0-9;_-]+), ?Signature="
)
"""As SDKs write it, up to the signature. Whatever else a client writes is read slowly, to say what is wrong with it."""
_SIGNATURE = re.compile("[0-9a-f]{64}")
_SIGNATURE_LENGTH = 64
_REMEMBERED_LENGTH_MOST = 1024


class Claim:
    """What a client says again in every request of a day: who signs, for what scope, and which headers.

    `date` is the scope's (YYYYMMDD); `signed_headers` are lower-case, as listed."""

    __slots__ = (
        "access_key_id",
        "date",
        "region",
        "scope",
        "service",
        "signed",
        "signed_headers",
        "signed_text",
    )

    def __init__(self, access_key_id: str, date: str, region: str, service: str, signed_headers: str) -> None:
        self.access_key_id = access_key_id
        self.date = date
        self.region = region
        self.service = service
        self.signed_text = signed_headers
        self.signed_headers = tuple(signed_headers.split(";"))
        self.signed = frozenset(self.signed_headers)
        self.scope = f"{date}/{region}/{service}/aws4_request"


class Authorization(msgspec.Struct):
    """A claim with its signature, not verified."""

    claim: Claim
    signature: str
    timestamp: str | None = None
    """X-Amz-Date of a presigned URL; None where the headers say when."""
    expires: int | None = None
    """Seconds that a presigned URL lives; None for a signed header."""
    session_token: str | None = None

    @property
    def presigned(self) -> bool:
        return self.expires is not None


def read_authorization(request: Request) -> Authorization:
    """Raises SignatureError: MISSING, INCOMPLETE, QUERY_MALFORMED or SCOPE."""
    header = request.headers.get("authorization")
    if header is not None:
        return _read_header(header, request)
    if "X-Amz-" in request.query:
        return _read_query(request.query)
    raise SignatureError(Fault.MISSING, "Missing Authentication Token")


def _read_header(header: str, request: Request) -> Authorization:
    signature = header[-_SIGNATURE_LENGTH:]
    if _SIGNATURE.fullmatch(signature) and "x-amz-date" in request.headers:
        usual = header[:-_SIGNATURE_LENGTH]
        claim = _remembered(usual) if len(usual) <= _REMEMBERED_LENGTH_MOST else _read_usual(usual)
        if claim is not None:
            return Authorization(claim, signature, None, None, request.headers.get("x-amz-security-token"))
    return _read_header_slowly(header, request)


def _read_usual(text: str) -> Claim | None:
    """Of a header up to its signature; None where it is not written as usual."""
    usual = _USUAL_HEADER.fullmatch(text)
    return Claim(*usual.groups()) if usual else None


_remembered = lru_cache(maxsize=2048)(_read_usual)
"""Bounded in number and, by whoever calls it, in length: what a stranger sends may not fill the memory."""


def _read_header_slowly(header: str, request: Request) -> Authorization:
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise _unsupported(algorithm, header)
    fields: dict[str, str] = {}
    for pair in rest.split(","):
        name, equals, value = pair.strip().partition("=")
        # AWS reads words: "Credential= AKIA…" is a name without a value and a value without a name.
        if not equals or " " in value or not value:
            raise SignatureError(
                Fault.INCOMPLETE,
                f"'{pair.strip().rpartition(' ')[2]}' not a valid key=value pair (missing equal-sign)"
                f" in Authorization header: '{header}'.",
            )
        fields[name] = value
    headers = request.headers
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if name not in fields
    ]
    if "x-amz-date" not in headers and "date" not in headers:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise SignatureError(Fault.INCOMPLETE, f"{' '.join(missing)} Authorization={algorithm}")
    access_key_id, date, region, service = read_scoped_credential(fields["Credential"], Fault.INCOMPLETE)
    return Authorization(
        Claim(access_key_id, date, region, service, fields["SignedHeaders"]),
        fields["Signature"],
        session_token=headers.get("x-amz-security-token"),
    )


def _read_query(query: str) -> Authorization:
    fields: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name = unquote(name)
        if name in _QUERY_NAMES:
            if name in fields:
                raise SignatureError(
                    Fault.QUERY_MALFORMED, f"AWS query-string parameter '{name}' is given twice."
                )
            fields[name] = unquote(value)
            if not fields[name].isascii():
                raise SignatureError(
                    Fault.QUERY_MALFORMED, f"AWS query-string parameter '{name}' has characters beyond ASCII."
                )
    if "X-Amz-Algorithm" not in fields and "X-Amz-Credential" not in fields:
        raise SignatureError(Fault.MISSING, "Missing Authentication Token")
    for name in sorted(_QUERY_NAMES - {"X-Amz-Security-Token", "X-Amz-Expires"}):
        if not fields.get(name):
            raise SignatureError(
                Fault.QUERY_INCOMPLETE,
                f"AWS query-string parameters must include '{name}'. Re-examine the query-string parameters.",
            )
    if fields["X-Amz-Algorithm"] != ALGORITHM:
        raise _unsupported(fields["X-Amz-Algorithm"], fields["X-Amz-Algorithm"])
    access_key_id, date, region, service = read_scoped_credential(
        fields["X-Amz-Credential"], Fault.QUERY_MALFORMED
    )
    return Authorization(
        Claim(access_key_id, date, region, service, fields["X-Amz-SignedHeaders"]),
        fields["X-Amz-Signature"],
        timestamp=fields["X-Amz-Date"],
        expires=_read_expires(fields.get("X-Amz-Expires")),
        session_token=fields.get("X-Amz-Security-Token"),
    )


def _read_expires(text: str | None) -> int:
    if text is None:
        return 900  # a signature in the query lives as long as one in a header where it does not say
    if not text.isascii() or not text.isdigit():
        raise SignatureError(Fault.QUERY_MALFORMED, "X-Amz-Expires should be a number")
    expires = int(text[:9])
    if expires < 1:
        raise SignatureError(Fault.QUERY_MALFORMED, "X-Amz-Expires must be non-negative")
    if expires > EXPIRES_MAX_SECONDS:
        raise SignatureError(
            Fault.QUERY_MALFORMED, "X-Amz-Expires must be less than a week (in seconds) that is 604800"
        )
    return expires


def read_scoped_credential(credential: str, fault: Fault) -> tuple[str, str, str, str]:
    """Access key id, date, region, service. Raises SignatureError: SCOPE, or `fault` where there are not five parts."""
    parts = credential.split("/")
    if len(parts) != 5 or not parts[0]:
        raise SignatureError(
            fault,
            f"Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{credential}'",
        )
    access_key_id, date, region, service, terminator = parts
    if terminator != "aws4_request":
        raise SignatureError(
            Fault.SCOPE,
            f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. ",
        )
    if not _REGION.fullmatch(region):
        raise SignatureError(
            Fault.SCOPE,
            f"Credential should be scoped to a valid region, not '{region}'. ",
            {"Region": _EXPECTED_REGION},
            f"The authorization header is malformed; the region '{region}' is wrong; expecting"
            f" '{_EXPECTED_REGION}'",
        )
    if not _SERVICE.fullmatch(service):
        raise SignatureError(
            Fault.SCOPE, f"Credential should be scoped to a valid service, not '{service}'. "
        )
    return access_key_id, date, region, service


def _unsupported(algorithm: str, header: str) -> SignatureError:
    if algorithm.startswith("AWS4-ECDSA"):
        return SignatureError(
            Fault.INCOMPLETE,
            f"Unsupported AWS 'algorithm': '{algorithm}'. Lambent verifies {ALGORITHM} (Signature Version 4);"
            " Signature Version 4A is not offered.",
        )
    if algorithm.startswith("AWS "):
        return SignatureError(Fault.INCOMPLETE, "Signature Version 2 is not offered; use AWS4-HMAC-SHA256.")
    return SignatureError(
        Fault.INCOMPLETE,
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' "
        "parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires "
        "existence of either a 'X-Amz-Date' or a 'Date' header. "
        f"Authorization={header.partition(' ')[0]}",
    )
