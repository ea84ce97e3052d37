"""Condition keys of Lambda's own, which policies may ask about.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""

from collections.abc import Mapping

from lambent.model.caller import Caller, Parameters
from lambent.services.lambda_.function_reference import parse_reference

_OF_MAPPINGS = frozenset({"CreateEventSourceMapping", "UpdateEventSourceMapping"})


def condition_keys(operation: str, caller: Caller, parameters: Parameters) -> Mapping[str, str]:
    """Raises as `parse_reference`."""
    if operation not in _OF_MAPPINGS or "FunctionName" not in parameters:
        return {}
    reference = parse_reference(parameters["FunctionName"], None, caller.account_id, caller.region)
    return {"lambda:FunctionArn": reference.arn}
