"""Condition keys of Lambda's own, which policies may ask about.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.services.lambda_.function_reference import parse_reference

_INVOCATIONS = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})
_OF_MAPPINGS = frozenset({"CreateEventSourceMapping", "UpdateEventSourceMapping"})
_OF_MEMBERS = {"FunctionUrlAuthType": "lambda:FunctionUrlAuthType", "AuthType": "lambda:FunctionUrlAuthType"}


def condition_keys(operation: str, caller: Caller, parameters: Parameters) -> Mapping[str, str]:
    """Raises as `parse_reference`."""
    if operation in _INVOCATIONS:
        return {"lambda:InvokedViaFunctionUrl": "false"}
    keys: dict[str, str] = {
        key: parameters[member] for member, key in _OF_MEMBERS.items() if member in parameters
    }
    if operation == "AddPermission":
        keys["lambda:Principal"] = parameters["Principal"]
    if operation in _OF_MAPPINGS and "FunctionName" in parameters:
        reference = parse_reference(parameters["FunctionName"], None, caller.account_id, caller.region)
        keys["lambda:FunctionArn"] = reference.arn
    return keys
