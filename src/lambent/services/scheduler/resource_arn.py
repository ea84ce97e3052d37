"""The ARN that each operation acts on.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html
"""

from lambent.model.caller import Caller, Parameters
from lambent.model.schedule_record import DEFAULT_GROUP, group_arn


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    if "ResourceArn" in parameters:
        return str(parameters["ResourceArn"])
    if operation in ("ListSchedules", "ListScheduleGroups"):
        return "*"
    if operation.endswith("Group"):
        return group_arn(caller.partition, caller.region, caller.account_id, parameters["Name"])
    path = f"{parameters.get('GroupName', DEFAULT_GROUP)}/{parameters['Name']}"
    return f"arn:{caller.partition}:scheduler:{caller.region}:{caller.account_id}:schedule/{path}"
