"""Requests that nobody signs, because they bring something else that says who calls."""

from lambent.base.arn import partition_of
from lambent.http.message import Request
from lambent.model.caller import Caller

UNSIGNED_OPERATIONS = frozenset({("sts", "AssumeRoleWithWebIdentity")})
"""By signing name and operation. Each verifies what it is brought by itself: it is authorized nowhere else."""
_REGION = "us-east-1"
"""No signature names one."""


def nobody(request: Request, request_id: str) -> Caller:
    """Of no account, and with no right to anything."""
    return Caller(
        account_id="",
        region=_REGION,
        partition=partition_of(_REGION),
        principal_arn="",
        user_id="",
        access_key_id="",
        request_id=request_id,
        source_ip=request.peer,
        user_agent=request.headers.get("user-agent", ""),
    )
