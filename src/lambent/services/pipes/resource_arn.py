"""The ARN that each operation acts on.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgepipes.html
"""

from lambent.model.caller import Caller, Parameters
from lambent.model.pipe import pipe_arn


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    if "resourceArn" in parameters:
        return str(parameters["resourceArn"])
    if operation == "ListPipes":
        return "*"
    return pipe_arn(caller.partition, caller.region, caller.account_id, parameters["Name"])
