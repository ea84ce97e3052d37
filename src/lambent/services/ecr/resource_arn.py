"""What each operation acts on, for authorization.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
"""

from lambent.base.arn import partition_of
from lambent.model.caller import Caller, Parameters
from lambent.services.ecr.registry import registry_id


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    base = (
        f"arn:{partition_of(caller.region)}:ecr:{caller.region}:{registry_id(caller, parameters)}:repository/"
    )
    if "repositoryName" in parameters:
        return f"{base}{parameters['repositoryName']}"
    if operation == "DescribeRepositories":
        return tuple(f"{base}{name}" for name in parameters.get("repositoryNames") or ("*",))
    return str(parameters.get("resourceArn", "*"))
