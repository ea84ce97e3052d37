"""The context object that handlers get. Names and types are AWS's: the memory limit, for one, is a string.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import time

from .errors import Fault
from .marshal import from_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .telemetry import Telemetry

_W3C_FIELDS = ("traceparent", "tracestate", "baggage")


class FunctionSettings:
    """What INIT said of the function; the same for all invocations of an environment."""

    def __init__(self, meta: "dict[str, Any]", sink: "Telemetry") -> None:
        self.function_name = meta.get("function_name")
        self.function_version = meta.get("function_version")
        self.memory_limit_in_mb = str(meta.get("memory_limit_mb"))
        self.log_group_name = meta.get("log_group")
        self.log_stream_name = meta.get("log_stream")
        self.sink = sink


class _Record:
    """An object of fixed fields, made from a mapping: absent ones are None."""

    __slots__: "tuple[str, ...]" = ()

    def __init__(self, values: "dict[str, Any]") -> None:
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        return _repr(self, self.__slots__)


class CognitoIdentity(_Record):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Record):
    __slots__ = (
        "app_package_name",
        "app_title",
        "app_version_code",
        "app_version_name",
        "installation_id",
    )


class ClientContext(_Record):
    __slots__ = ("client", "custom", "env")

    client: "Any"

    def __init__(self, values: "dict[str, Any]") -> None:
        super().__init__(values)
        if self.client is not None:
            self.client = Client(self.client)


class LambdaContext:
    def __init__(self, settings: FunctionSettings, invocation: "dict[str, Any]") -> None:
        get = invocation.get
        self.aws_request_id = invocation["request_id"]
        self.log_group_name = settings.log_group_name
        self.log_stream_name = settings.log_stream_name
        self.function_name = settings.function_name
        self.memory_limit_in_mb = settings.memory_limit_in_mb
        self.function_version = settings.function_version
        self.invoked_function_arn = get("invoked_arn")
        self.tenant_id = get("tenant_id")
        text = get("client_context")
        self.client_context = None
        self._w3c_fields: dict[str, str] = {}
        if text:
            self._take_client_context(text)
        self.identity = CognitoIdentity(get("identity") or {})
        self._epoch_deadline_time_in_ms = invocation["deadline_ms"]
        self._sink = settings.sink

    def _take_client_context(self, text: str) -> None:
        try:
            values = from_json(text)
        except ValueError as error:
            message = f"Unable to parse Client Context JSON: {error}"
            raise Fault("Runtime.LambdaContextUnmarshalError", message) from None
        if values is None:
            return
        w3c = values.pop("w3c", None)
        if isinstance(w3c, dict):
            self._w3c_fields = {name: w3c[name] for name in _W3C_FIELDS if isinstance(w3c.get(name), str)}
        self.client_context = ClientContext(values)  # type: ignore[assignment]

    def get_remaining_time_in_millis(self) -> int:
        remaining: int = self._epoch_deadline_time_in_ms - int(time.time() * 1000)
        return max(0, remaining)

    def w3c(self) -> "dict[str, str]":
        """The W3C trace context that the caller sent in its client context."""
        return dict(self._w3c_fields)

    def log(self, message: "Any") -> None:
        self._sink.log(str(message))

    def __repr__(self) -> str:
        return _repr(
            self,
            (
                "aws_request_id",
                "log_group_name",
                "log_stream_name",
                "function_name",
                "memory_limit_in_mb",
                "function_version",
                "invoked_function_arn",
                "client_context",
                "identity",
                "tenant_id",
            ),
        )


def _repr(value: "Any", names: "tuple[str, ...]") -> str:
    fields = ",".join(f"{name}={getattr(value, name)}" for name in names)
    return f"{type(value).__name__}([{fields}])"
