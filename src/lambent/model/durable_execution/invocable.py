"""How a durable function may be invoked.

Source: https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking.html"""

from lambent.model.function import FunctionVersion
from lambent.model.lambda_errors import InvalidParameterValueException

_SYNCHRONOUS_SECONDS_MOST = 900


def require_invocable(version: FunctionVersion, qualifier: str | None, *, synchronous: bool) -> None:
    """Any other function may be. Raises InvalidParameterValueException."""
    if version.durable is None:
        return
    if qualifier is None:
        raise InvalidParameterValueException("You cannot invoke a durable function using an unqualified ARN.")
    if synchronous and version.durable.execution_timeout > _SYNCHRONOUS_SECONDS_MOST:
        raise InvalidParameterValueException(
            "You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes."
        )
