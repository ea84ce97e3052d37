"""DurableConfig: what makes a function durable, from its creation on.

Source: the DurableConfig shape, and https://docs.aws.amazon.com/lambda/latest/dg/durable-configuration.html"""

from dataclasses import replace
from typing import Any

from lambent.model.caller import Parameters
from lambent.model.function import DurableConfig
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.errors import not_offered

_FIELDS = {"ExecutionTimeout": "execution_timeout", "RetentionPeriodInDays": "retention_period_in_days"}


def new_durable_config(parameters: Parameters) -> DurableConfig | None:
    """CreateFunction's. None where the function is not to be durable. Raises InvalidParameterValueException."""
    given = _given(parameters)
    return DurableConfig(**given) if given else None


def changed_durable_config(parameters: Parameters, current: DurableConfig | None) -> DurableConfig | None:
    """UpdateFunctionConfiguration's: the settings may change, but not whether the function is durable.

    Raises InvalidParameterValueException."""
    given = _given(parameters)
    if not given:
        return current
    if current is None:
        raise InvalidParameterValueException(
            "You cannot enable durable execution on an existing function. DurableConfig can only be set when the "
            "function is created."
        )
    return replace(current, **given)


def describe_durable_config(config: DurableConfig | None) -> Parameters | None:
    if config is None:
        return None
    return {
        "RetentionPeriodInDays": config.retention_period_in_days,
        "ExecutionTimeout": config.execution_timeout,
    }


def _given(parameters: Parameters) -> dict[str, Any]:
    members = parameters.get("DurableConfig", {})
    if members.get("KMSKeyArn"):
        raise not_offered("DurableConfig with a KMSKeyArn")
    return {field: members[member] for member, field in _FIELDS.items() if member in members}
