"""What each operation acts on, for authorization.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
"""

from lambent.base.arn import partition_of
from lambent.model.alarm import alarm_arn
from lambent.model.caller import Caller, Parameters
from lambent.model.dashboard import dashboard_arn

_OF_ALARMS = frozenset({"DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions", "DescribeAlarms"})
_OF_ALARM = frozenset({"PutMetricAlarm", "SetAlarmState", "DescribeAlarmHistory"})

_OF_DASHBOARDS = frozenset({"PutDashboard", "GetDashboard", "DeleteDashboards"})


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    def arn(name: str) -> str:
        return alarm_arn(partition_of(caller.region), caller.region, caller.account_id, name)

    if operation in _OF_DASHBOARDS:
        names = parameters.get("DashboardNames") or [parameters.get("DashboardName", "")]
        return tuple(dashboard_arn(partition_of(caller.region), caller.account_id, name) for name in names)
    if operation in _OF_ALARMS and parameters.get("AlarmNames"):
        return tuple(arn(name) for name in parameters["AlarmNames"])
    if operation in _OF_ALARM and "AlarmName" in parameters:
        return arn(parameters["AlarmName"])
    if "ResourceARN" in parameters:
        return str(parameters["ResourceARN"])
    return "*"


def condition_keys(operation: str, caller: Caller, parameters: Parameters) -> dict[str, str]:
    namespace = parameters.get("Namespace")
    return {"cloudwatch:namespace": namespace} if operation == "PutMetricData" and namespace else {}
