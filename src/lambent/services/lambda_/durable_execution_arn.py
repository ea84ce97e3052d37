"""The ARN of a durable execution, below that of the function version that it runs.

arn:aws:lambda:us-east-1:123456789012:function:orders:7/durable-execution/order-1/0c3b…
"""

import re

from lambent.model.caller import Caller
from lambent.model.durable_execution.tokens import CallbackId
from lambent.model.durable_execution.transition import State
from lambent.model.durable_execution.values import DurableExecution, ExecutionKey
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.services.lambda_.errors import not_authorized

INVALID_MARKER = "Invalid Marker"
DURABLE_EXECUTION = "/durable-execution/"
_ARN = re.compile(
    r"arn:[a-zA-Z0-9-]+:lambda:(?P<region>[a-zA-Z0-9-]+):(?P<account_id>\d{12}):function:[a-zA-Z0-9_-]+:"
    r"(\$LATEST(\.PUBLISHED)?|[0-9]+)/durable-execution/[a-zA-Z0-9_-]+/(?P<id>[a-zA-Z0-9_-]+)"
)


def execution_of(caller: Caller, action: str, arn: str) -> ExecutionKey:
    """Raises InvalidParameterValueException, ResourceNotFoundException (another region), AccessDeniedException
    (another account)."""
    match = _ARN.fullmatch(arn)
    if match is None:
        raise InvalidParameterValueException("Invalid Durable Execution ARN")
    if match["account_id"] != caller.account_id:
        raise not_authorized(caller.principal_arn, action, arn)
    if match["region"] != caller.region:
        raise execution_not_found()
    return ExecutionKey(match["account_id"], match["region"], match["id"])


def require_arn(state: State, arn: str) -> DurableExecution:
    """The execution, if all of the ARN is its own. Raises ResourceNotFoundException."""
    if state.execution.arn != arn:
        raise execution_not_found()
    return state.execution


def execution_not_found() -> ResourceNotFoundException:
    return ResourceNotFoundException("Durable Execution does not exist")


def parse_callback_id(text: str) -> CallbackId:
    """Raises InvalidParameterValueException."""
    parsed = CallbackId.parse(text)
    if parsed is None or _ARN.fullmatch(parsed.execution_arn) is None:
        raise InvalidParameterValueException("Invalid callback id")
    return parsed
