"""Why a signature is refused, and how AWS says so: code and status differ by protocol, so they are data.

Sources: the CommonErrors page of each service's API reference (IAM, STS, Logs, Lambda), the S3 error list
(https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), and answers recorded in public issue
threads where the pages and the services disagree (Lambda answers 403, JSON services 400).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

from lambent.model.error import ServiceException

Family = Literal["rest-json", "json", "query", "s3"]
"""How a service words errors of authentication. ec2 is as query; every other protocol is as its nearest."""


class Fault(Enum):
    MISSING = "nothing says who calls"
    INCOMPLETE = "the authorization cannot be read"
    QUERY_MALFORMED = "the authorization in a presigned URL cannot be read"
    QUERY_INCOMPLETE = "the authorization in a presigned URL lacks something"
    SCOPE = "the credential's scope is not this service's or no region"
    UNKNOWN_KEY = "no such access key"
    WRONG_TOKEN = "the session token is not this key's"  # noqa: S105
    SKEWED = "signed too long ago, or in the future"
    PRESIGNED_EXPIRED = "a presigned URL past its time"
    MISMATCH = "the signature is not of this request and key"
    UNSIGNED_HEADER = "a header that must be signed is not"
    PAYLOAD_MISMATCH = "the body is not the one whose hash was signed"
    PAYLOAD_MALFORMED = "a chunked body cannot be unpacked"
    EXPIRED_TOKEN = "the session is over"  # noqa: S105


_CODES: Mapping[Family, Mapping[Fault, tuple[str, int]]] = {
    "rest-json": {
        Fault.MISSING: ("MissingAuthenticationTokenException", 403),
        Fault.INCOMPLETE: ("IncompleteSignatureException", 403),
        Fault.QUERY_MALFORMED: ("IncompleteSignatureException", 403),
        Fault.QUERY_INCOMPLETE: ("IncompleteSignatureException", 403),
        Fault.SCOPE: ("InvalidSignatureException", 403),
        Fault.UNKNOWN_KEY: ("UnrecognizedClientException", 403),
        Fault.WRONG_TOKEN: ("UnrecognizedClientException", 403),
        Fault.SKEWED: ("InvalidSignatureException", 403),
        Fault.PRESIGNED_EXPIRED: ("InvalidSignatureException", 403),
        Fault.MISMATCH: ("InvalidSignatureException", 403),
        Fault.UNSIGNED_HEADER: ("InvalidSignatureException", 403),
        Fault.PAYLOAD_MISMATCH: ("InvalidSignatureException", 403),
        Fault.PAYLOAD_MALFORMED: ("InvalidRequestContentException", 400),
        Fault.EXPIRED_TOKEN: ("ExpiredTokenException", 403),
    },
    "json": {
        Fault.MISSING: ("MissingAuthenticationTokenException", 400),
        Fault.INCOMPLETE: ("IncompleteSignatureException", 400),
        Fault.QUERY_MALFORMED: ("IncompleteSignatureException", 400),
        Fault.QUERY_INCOMPLETE: ("IncompleteSignatureException", 400),
        Fault.SCOPE: ("InvalidSignatureException", 400),
        Fault.UNKNOWN_KEY: ("UnrecognizedClientException", 400),
        Fault.WRONG_TOKEN: ("UnrecognizedClientException", 400),
        Fault.SKEWED: ("InvalidSignatureException", 400),
        Fault.PRESIGNED_EXPIRED: ("InvalidSignatureException", 400),
        Fault.MISMATCH: ("InvalidSignatureException", 400),
        Fault.UNSIGNED_HEADER: ("InvalidSignatureException", 400),
        Fault.PAYLOAD_MISMATCH: ("InvalidSignatureException", 400),
        Fault.PAYLOAD_MALFORMED: ("SerializationException", 400),
        Fault.EXPIRED_TOKEN: ("ExpiredTokenException", 400),
    },
    "query": {
        Fault.MISSING: ("MissingAuthenticationToken", 403),
        Fault.INCOMPLETE: ("IncompleteSignature", 400),
        Fault.QUERY_MALFORMED: ("IncompleteSignature", 400),
        Fault.QUERY_INCOMPLETE: ("IncompleteSignature", 400),
        Fault.SCOPE: ("SignatureDoesNotMatch", 403),
        Fault.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
        Fault.WRONG_TOKEN: ("InvalidClientTokenId", 403),
        Fault.SKEWED: ("SignatureDoesNotMatch", 403),
        Fault.PRESIGNED_EXPIRED: ("SignatureDoesNotMatch", 403),
        Fault.MISMATCH: ("SignatureDoesNotMatch", 403),
        Fault.UNSIGNED_HEADER: ("SignatureDoesNotMatch", 403),
        Fault.PAYLOAD_MISMATCH: ("SignatureDoesNotMatch", 403),
        Fault.PAYLOAD_MALFORMED: ("MalformedInput", 400),
        Fault.EXPIRED_TOKEN: ("ExpiredToken", 403),
    },
    "s3": {
        Fault.MISSING: ("AccessDenied", 403),
        Fault.INCOMPLETE: ("AuthorizationHeaderMalformed", 400),
        Fault.QUERY_MALFORMED: ("AuthorizationQueryParametersError", 400),
        Fault.QUERY_INCOMPLETE: ("AuthorizationQueryParametersError", 400),
        Fault.SCOPE: ("AuthorizationHeaderMalformed", 400),
        Fault.UNKNOWN_KEY: ("InvalidAccessKeyId", 403),
        Fault.WRONG_TOKEN: ("InvalidToken", 400),
        Fault.SKEWED: ("RequestTimeTooSkewed", 403),
        Fault.PRESIGNED_EXPIRED: ("AccessDenied", 403),
        Fault.MISMATCH: ("SignatureDoesNotMatch", 403),
        Fault.UNSIGNED_HEADER: ("AccessDenied", 403),
        Fault.PAYLOAD_MISMATCH: ("XAmzContentSHA256Mismatch", 400),
        Fault.PAYLOAD_MALFORMED: ("IncompleteBody", 400),
        Fault.EXPIRED_TOKEN: ("ExpiredToken", 400),
    },
}

_MESSAGES: Mapping[tuple[Family, Fault], str] = {
    ("query", Fault.MISSING): "Request is missing Authentication Token",
    ("s3", Fault.MISSING): "Access Denied",
    ("s3", Fault.QUERY_INCOMPLETE): (
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
        "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
    ),
    ("s3", Fault.UNKNOWN_KEY): "The AWS Access Key Id you provided does not exist in our records.",
    ("s3", Fault.WRONG_TOKEN): "The provided token is malformed or otherwise invalid.",
    ("s3", Fault.SKEWED): "The difference between the request time and the current time is too large.",
    ("s3", Fault.PRESIGNED_EXPIRED): "Request has expired",
    ("s3", Fault.MISMATCH): (
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method."
    ),
    ("s3", Fault.UNSIGNED_HEADER): "There were headers present in the request which were not signed",
    ("s3", Fault.PAYLOAD_MISMATCH): (
        "The provided 'x-amz-content-sha256' header does not match what was computed."
    ),
    ("s3", Fault.EXPIRED_TOKEN): "The provided token has expired.",
}
"""Where a family says it in words of its own; elsewhere the fault's own message stands."""


class SignatureError(Exception):
    """A request whose caller is not established. `members` are for S3, which names details in elements of
    their own, and so is `s3_message`, where its words are not the other services'."""

    def __init__(
        self,
        fault: Fault,
        message: str,
        members: Mapping[str, Any] | None = None,
        s3_message: str | None = None,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.members = dict(members or {})
        self.s3_message = s3_message

    def for_family(self, family: Family) -> "AuthenticationException":
        code, status = _CODES[family][self.fault]
        message = _MESSAGES.get((family, self.fault), self.message)
        if family == "s3":
            return AuthenticationException(code, status, self.s3_message or message, self.members)
        return AuthenticationException(code, status, message, {})


class AuthenticationException(ServiceException):
    """A SignatureError as one protocol words it."""

    def __init__(self, code: str, status: int, message: str, members: Mapping[str, Any]) -> None:
        super().__init__(message, code=code, members=members)
        self.status = status
