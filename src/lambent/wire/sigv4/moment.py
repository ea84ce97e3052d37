"""When a request says it was signed, and whether that is now.

AWS allows five minutes either way; S3 and the services of the query protocol (IAM, STS) allow fifteen.
"""

import re
import time
from calendar import timegm
from email.utils import parsedate_to_datetime

from lambent.http.message import Request
from lambent.wire.sigv4.authorization import Authorization
from lambent.wire.sigv4.errors import Fault, SignatureError

_ISO_BASIC = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SKEW_SECONDS = {"s3": 900, "s3express": 900, "iam": 900, "sts": 900}
_SKEW_SECONDS_ELSEWHERE = 300


def timestamp_of(request: Request, authorization: Authorization) -> str:
    """When the request was signed, as 20260131T235959Z. Raises SignatureError (INCOMPLETE or SCOPE)."""
    timestamp = authorization.timestamp or request.headers.get("x-amz-date")
    if timestamp is None:
        timestamp = _from_date_header(request.headers.get("date", ""))
    if timestamp[:8] != authorization.claim.date:
        epoch_of(timestamp)  # what cannot be read at all is the worse of two faults
        raise SignatureError(
            Fault.SCOPE,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{authorization.claim.date}' != '{timestamp[:8]}', from '{timestamp}'.",
        )
    return timestamp


def check_moment(authorization: Authorization, timestamp: str, signed_at: float, now: float) -> None:
    """Raises SignatureError (SKEWED or PRESIGNED_EXPIRED) where `signed_at` is not now enough."""
    if authorization.expires is None and abs(now - signed_at) <= _SKEW_SECONDS_ELSEWHERE:
        return
    skew = _SKEW_SECONDS.get(authorization.claim.service, _SKEW_SECONDS_ELSEWHERE)
    minutes = f"{skew // 60} min."
    if signed_at > now + skew:
        message = f"{timestamp} is still later than {_iso(now + skew)} ({_iso(now)} + {minutes})"
        raise _skewed(f"Signature not yet current: {message}", timestamp, now, skew)
    if authorization.expires is not None:
        _check_expiry(signed_at + authorization.expires, now, authorization.expires)
    elif signed_at < now - skew:
        message = f"{timestamp} is now earlier than {_iso(now - skew)} ({_iso(now)} - {minutes})"
        raise _skewed(f"Signature expired: {message}", timestamp, now, skew)


def epoch_of(timestamp: str) -> float:
    """Epoch seconds of a timestamp in AWS's form. Raises SignatureError (INCOMPLETE)."""
    if not _ISO_BASIC.fullmatch(timestamp):
        raise _unreadable(timestamp)
    try:
        return float(timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ")))
    except ValueError:
        raise _unreadable(timestamp) from None


def _skewed(message: str, timestamp: str, now: float, skew: int) -> SignatureError:
    return SignatureError(
        Fault.SKEWED,
        message,
        {
            "RequestTime": timestamp,
            "ServerTime": _iso_extended(now),
            "MaxAllowedSkewMilliseconds": skew * 1000,
        },
    )


def _check_expiry(expires_at: float, now: float, expires: int) -> None:
    if now > expires_at:
        raise SignatureError(
            Fault.PRESIGNED_EXPIRED,
            f"Signature expired: {_iso(expires_at)} is now earlier than {_iso(now)}",
            {
                "X-Amz-Expires": expires,
                "Expires": _iso_extended(expires_at),
                "ServerTime": _iso_extended(now),
            },
        )


def _from_date_header(text: str) -> str:
    try:
        return _iso(parsedate_to_datetime(text).timestamp())
    except ValueError:
        raise _unreadable(text) from None


def _unreadable(text: str) -> SignatureError:
    return SignatureError(
        Fault.INCOMPLETE,
        f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601",
    )


def _iso(epoch: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(epoch))


def _iso_extended(epoch: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
