"""From a verified signature to the caller that operations see."""

from lambent.base.arn import partition_of
from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.wire.sigv4.errors import Fault, SignatureError
from lambent.wire.sigv4.verify import Verified


def caller_of(verified: Verified, request: Request, request_id: str) -> Caller:
    """Raises SignatureError for a session in a region of another partition than its own: there its role's resources
    would go by other ARNs than its policies speak of."""
    credential = verified.credential
    partition = partition_of(verified.region)
    if credential.session_token is not None and credential.principal_arn.split(":", 2)[1] != partition:
        raise SignatureError(
            Fault.UNKNOWN_KEY,
            "The security token included in the request is invalid.",
            {"AWSAccessKeyId": credential.access_key_id},
        )
    headers = request.headers
    return Caller(
        account_id=credential.account_id,
        region=verified.region,
        partition=partition,
        principal_arn=credential.principal_arn,
        user_id=credential.user_id,
        access_key_id=credential.access_key_id,
        role_arn=credential.role_arn,
        session_policies=credential.session_policies,
        session=credential.session,
        request_id=request_id,
        source_ip=request.peer,
        user_agent=headers.get("user-agent", ""),
        endpoint_url=f"http://{headers.get('host', '')}",
        headers=headers,
    )
