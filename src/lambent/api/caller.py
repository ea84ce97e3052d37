"""From a verified signature to the caller that operations see."""

from lambent.base.arn import partition_of
from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.wire.sigv4.verify import Verified


def caller_of(verified: Verified, request: Request, request_id: str) -> Caller:
    credential = verified.credential
    headers = request.headers
    return Caller(
        account_id=credential.account_id,
        region=verified.region,
        partition=partition_of(verified.region),
        principal_arn=credential.principal_arn,
        user_id=credential.user_id,
        access_key_id=credential.access_key_id,
        role_arn=credential.role_arn,
        session_policies=credential.session_policies,
        request_id=request_id,
        source_ip=request.peer,
        user_agent=headers.get("user-agent", ""),
        endpoint_url=f"http://{headers.get('host', '')}",
        headers=headers,
    )
