"""What each operation acts on, for authorization, and whom profiles let in.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssigner.html
"""

import json

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.resource_policy import ResourcePolicy

_LAMBDA_ASKS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "signer:GetRevocationStatus",
            "Resource": "*",
        },
    }
)
"""Lambda looks at every signature before it deploys code, whoever signed it."""


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    base = f"arn:{partition_of(caller.region)}:signer:{caller.region}:{caller.account_id}:"
    if "profileVersionArn" in parameters:
        return str(parameters["profileVersionArn"]).rpartition("/")[0]
    if "profileName" in parameters:
        owner = parameters.get("profileOwner") or caller.account_id
        return f"{base.replace(caller.account_id, owner)}/signing-profiles/{parameters['profileName']}"
    if "jobId" in parameters:
        return f"{base}/signing-jobs/{parameters['jobId']}"
    return str(parameters.get("resourceArn", "*"))


async def resource_policy(arn: str) -> ResourcePolicy | None:
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        return None
    if not parsed.resource.startswith("/signing-profiles/"):
        return None
    return ResourcePolicy(account_id=parsed.account_id, document=_LAMBDA_ASKS)
