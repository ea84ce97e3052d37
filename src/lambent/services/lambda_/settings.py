"""The settings of CreateFunction and UpdateFunctionConfiguration: checked, and turned into fields of FunctionVersion.

The service model's own constraints were checked before; these are the rules that it does not say.
Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and configuration-envvars.html there.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from lambent.model.caller import Parameters
from lambent.model.error import ValidationException
from lambent.model.function import FunctionId, LoggingConfig
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.runtimes.identifiers import runtime_version_arn
from lambent.services.lambda_.ports import Runtimes
from lambent.services.lambda_.snap_start import snap_start_fields
from lambent.services.lambda_.vpc import require_no_file_systems, require_no_vpc

_VARIABLES_LARGEST = 4096
_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
_TIMEOUT_LONGEST = 900
"""The model allows 5,400 s, which AWS gives only to functions on managed instances; so with the next two."""
_MEMORY_LARGEST = 10_240
_EPHEMERAL_STORAGE_LARGEST = 10_240
_SCALARS = {"Role": "role", "Handler": "handler", "Description": "description"}


def settings(
    parameters: Parameters,
    function: FunctionId,
    runtimes: Runtimes,
    logging: LoggingConfig,
    *,
    creating: bool,
) -> dict[str, Any]:
    """The fields of FunctionVersion that `parameters` set, except for code and layers. `logging` is what the function
    has so far. Raises InvalidParameterValueException, ValidationException."""
    fields: dict[str, Any] = {
        field: parameters[member] for member, field in _SCALARS.items() if member in parameters
    }
    fields |= snap_start_fields(parameters)
    if "Timeout" in parameters:
        fields["timeout"] = _at_most("timeout", parameters["Timeout"], _TIMEOUT_LONGEST)
    if "MemorySize" in parameters:
        fields["memory_size"] = _at_most("memorySize", parameters["MemorySize"], _MEMORY_LARGEST)
    if "EphemeralStorage" in parameters:
        size = parameters["EphemeralStorage"]["Size"]
        fields["ephemeral_storage"] = _at_most("ephemeralStorage.size", size, _EPHEMERAL_STORAGE_LARGEST)
    if "Environment" in parameters:
        fields["variables"] = _variables(parameters["Environment"].get("Variables", {}))
    if "Runtime" in parameters:
        fields |= _runtime(parameters["Runtime"], function.region, runtimes, creating=creating)
    if "Mode" in parameters.get("TracingConfig", {}):
        fields["tracing_mode"] = parameters["TracingConfig"]["Mode"]
    if "VpcConfig" in parameters:
        require_no_vpc(parameters["VpcConfig"])
        fields["outside_vpc"] = True
    require_no_file_systems(parameters.get("FileSystemConfigs", ()))
    if "LoggingConfig" in parameters:
        fields["logging"] = _logging(parameters["LoggingConfig"], logging)
    return fields


def architectures(parameters: Parameters, runtimes: Runtimes) -> tuple[str, ...]:
    """Raises InvalidParameterValueException for one that this host is not."""
    wanted = tuple(parameters.get("Architectures") or ("x86_64",))
    if wanted == (runtimes.architecture,):
        return wanted
    if "Architectures" not in parameters:
        # AWS's default is x86_64; a host that is not would only mislead with it.
        return (runtimes.architecture,)
    raise InvalidParameterValueException(
        f"This host runs functions of the architecture {runtimes.architecture}, not {', '.join(wanted)}."
    )


def default_logging(function: FunctionId) -> LoggingConfig:
    return LoggingConfig(log_group=f"/aws/lambda/{function.name}")


def _at_most(member: str, value: int, largest: int) -> int:
    if value > largest:
        raise ValidationException(
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
            f"Member must have value less than or equal to {largest}"
        )
    return value


def _variables(variables: Mapping[str, str]) -> Mapping[str, str]:
    reserved = [name for name in variables if name in _RESERVED_VARIABLES]
    if reserved:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = msgspec.json.encode(variables)
    if len(measured) > _VARIABLES_LARGEST:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured.decode()}"
        )
    return dict(variables)


def _runtime(runtime: str, region: str, runtimes: Runtimes, *, creating: bool) -> dict[str, Any]:
    if (refusal := runtimes.refusal(runtime, creating=creating)) is not None:
        raise InvalidParameterValueException(refusal)
    available = runtimes.names()
    if runtime not in available:
        raise InvalidParameterValueException(
            f"The runtime {runtime} is not available on this host: {runtimes.missing(runtime)}. "
            f"Runtimes available here: {', '.join(available)}."
        )
    return {
        "runtime": runtime,
        "runtime_version_arn": runtime_version_arn(region, runtime, runtimes.version(runtime)),
    }


def _logging(given: Mapping[str, str], current: LoggingConfig) -> LoggingConfig:
    log_format = given.get("LogFormat", current.log_format)
    log_group = given.get("LogGroup", current.log_group)
    if log_format == "Text":
        if "ApplicationLogLevel" in given or "SystemLogLevel" in given:
            raise InvalidParameterValueException(
                "To set ApplicationLogLevel or SystemLogLevel, the function's LogFormat must be JSON."
            )
        return LoggingConfig(log_format="Text", log_group=log_group)
    return replace(
        current,
        log_format=log_format,
        application_log_level=given.get("ApplicationLogLevel", current.application_log_level or "INFO"),
        system_log_level=given.get("SystemLogLevel", current.system_log_level or "INFO"),
        log_group=log_group,
    )
