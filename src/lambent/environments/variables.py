"""The environment variables of an environment.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

from collections.abc import Mapping

from lambent.model.credential import Credential
from lambent.model.function import FunctionVersion

LOG_STREAM_NAME = "AWS_LAMBDA_LOG_STREAM_NAME"
RUNTIME_API_PORT = 9001
GATEWAY_PORT = 9000
GATEWAY_URL = f"http://127.0.0.1:{GATEWAY_PORT}"
"""Where a function finds Lambent itself: in its own network, there and nowhere else."""

_TRACING = {
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
    "_AWS_XRAY_DAEMON_PORT": "2000",
}
"""Where SDKs send segments when they are told nothing else. Nobody is there; a function may name another place."""


def access_key_variables(credential: Credential) -> dict[str, str]:
    """What carries temporary credentials."""
    variables = {
        "AWS_ACCESS_KEY_ID": credential.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credential.secret_access_key,
    }
    if credential.session_token is not None:
        variables["AWS_SESSION_TOKEN"] = credential.session_token
    return variables


def environment_variables(
    version: FunctionVersion,
    static: Mapping[str, str],
    credentials: Mapping[str, str],
    log_stream: str,
    *,
    initialization_type: str = "on-demand",
) -> dict[str, str]:
    """Everything the process sees: the runtime's own, the reserved ones, and the function's, which cannot override
    the reserved (they were refused when the function was created)."""
    variables = {
        **static,
        **_TRACING,
        **(version.variables or {}),
        "AWS_REGION": version.function.region,
        "AWS_DEFAULT_REGION": version.function.region,
        **credentials,
        "AWS_LAMBDA_FUNCTION_NAME": version.function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": version.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(version.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": version.logging.log_group,
        LOG_STREAM_NAME: log_stream,
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{RUNTIME_API_PORT}",
    }
    if version.handler is not None:
        variables["_HANDLER"] = version.handler
    variables.setdefault("AWS_ENDPOINT_URL", GATEWAY_URL)
    if version.logging.log_format == "JSON":
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        variables["AWS_LAMBDA_LOG_LEVEL"] = version.logging.application_log_level or "INFO"
    return variables
