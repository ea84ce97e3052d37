"""What a runtime, and the extensions beside it, are told of their function in Init."""

from collections.abc import Mapping
from typing import Any

from lambent.model.function import FunctionVersion


def init_settings(
    version: FunctionVersion, log_stream: str, variables: Mapping[str, str] | None
) -> dict[str, Any]:
    """What INIT carries to our bootstraps (docs/internals/channel.md). No `variables` for a process that was executed
    with its own."""
    settings: dict[str, Any] = {} if variables is None else {"variables": dict(variables)}
    return settings | {
        "handler": version.handler or "",
        "function_name": version.function.name,
        "function_version": version.version,
        "memory_limit_mb": version.memory_size,
        "log_group": version.logging.log_group,
        "log_stream": log_stream,
        "log_format": version.logging.log_format,
        "log_level": version.logging.application_log_level,
    }


def told_to_extensions(version: FunctionVersion) -> dict[str, str]:
    """What the answer to a registration has, in the words of the Extensions API."""
    return {
        "functionName": version.function.name,
        "functionVersion": version.version,
        "handler": version.handler or "",
    }


def told_to_subscribers(version: FunctionVersion, instance: str) -> dict[str, Any]:
    """What platform.initStart has. `instance` is the name of the log stream; memory in bytes."""
    return {
        "functionName": version.function.name,
        "functionVersion": version.version,
        "instanceId": instance,
        "instanceMaxMemory": version.memory_size << 20,
    }
