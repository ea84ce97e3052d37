"""A statement of a function's policy, from the parameters of AddPermission: members in AWS's order.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
"""

import re
from collections.abc import Mapping
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.caller import Parameters
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException

_ACCOUNT = re.compile(r"\d{12}")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com)")
_PRINCIPAL_ARN = re.compile(
    r"arn:[\w-]+:(iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)"
    r"|sts::\d{12}:(assumed-role|federated-user)/[\w+=,.@/-]+)"
)


def permission_statement(function: FunctionId, qualifier: str, parameters: Parameters) -> dict[str, Any]:
    """Raises InvalidParameterValueException."""
    partition = partition_of(function.region)
    action = parameters["Action"]
    if "FunctionUrlAuthType" in parameters and action != "lambda:InvokeFunctionUrl":
        raise InvalidParameterValueException(
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action"
        )
    if "InvokedViaFunctionUrl" in parameters and action != "lambda:InvokeFunction":
        raise InvalidParameterValueException(
            "InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action"
        )
    statement: dict[str, Any] = {
        "Sid": parameters["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(parameters["Principal"], partition),
        "Action": action,
        "Resource": function.arn(qualifier, partition),
    }
    if conditions := _conditions(parameters):
        statement["Condition"] = conditions
    return statement


def _principal(principal: str, partition: str) -> Any:
    if principal == "*":
        return "*"
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"arn:{partition}:iam::{principal}:root"}
    if _PRINCIPAL_ARN.fullmatch(principal):
        return {"AWS": principal}
    if _SERVICE.fullmatch(principal):
        return {"Service": principal}
    raise InvalidParameterValueException(
        "The provided principal was invalid. Please check the principal and try again."
    )


_STRING_KEYS: Mapping[str, str] = {
    "FunctionUrlAuthType": "lambda:FunctionUrlAuthType",
    "PrincipalOrgID": "aws:PrincipalOrgID",
    "SourceAccount": "AWS:SourceAccount",
    "EventSourceToken": "lambda:EventSourceToken",
}
"""Condition keys by parameter; compared with StringEquals."""


def _conditions(parameters: Parameters) -> dict[str, dict[str, str]]:
    conditions: dict[str, dict[str, str]] = {}
    equal = {key: parameters[name] for name, key in _STRING_KEYS.items() if parameters.get(name)}
    if equal:
        conditions["StringEquals"] = equal
    if "InvokedViaFunctionUrl" in parameters:
        via_url = "true" if parameters["InvokedViaFunctionUrl"] else "false"
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": via_url}
    if parameters.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": parameters["SourceArn"]}
    return conditions
