import dataclasses

import pytest
from durable_driver import FUNCTION

from lambent.model.durable_execution.invocable import require_invocable
from lambent.model.function import CodeReference, DurableConfig, FunctionVersion, LoggingConfig
from lambent.model.lambda_errors import InvalidParameterValueException

PLAIN = FunctionVersion(
    function=FUNCTION,
    runtime="python3.13",
    handler="index.handler",
    role="arn:aws:iam::123456789012:role/r",
    code=CodeReference(digest="d", sha256="s", size=1),
    logging=LoggingConfig(log_group="g"),
    last_modified=0.0,
    revision_id="r",
)


def durable(seconds):
    return dataclasses.replace(PLAIN, durable=DurableConfig(execution_timeout=seconds))


def test_a_durable_function_needs_a_qualifier():
    require_invocable(PLAIN, None, synchronous=True)
    require_invocable(durable(900), "$LATEST", synchronous=True)
    for synchronous in (True, False):
        with pytest.raises(InvalidParameterValueException, match="using an unqualified ARN"):
            require_invocable(durable(900), None, synchronous=synchronous)


def test_nobody_waits_for_longer_than_15_minutes():
    require_invocable(durable(901), "7", synchronous=False)
    with pytest.raises(InvalidParameterValueException, match="greater than 15 minutes"):
        require_invocable(durable(901), "7", synchronous=True)
