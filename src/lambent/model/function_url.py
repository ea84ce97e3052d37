"""A function URL: an HTTP address of a function's own.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
"""

from dataclasses import dataclass
from typing import Literal

from lambent.model.function import FunctionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """None where the configuration does not say."""

    allow_credentials: bool | None = None
    allow_headers: tuple[str, ...] | None = None
    allow_methods: tuple[str, ...] | None = None
    allow_origins: tuple[str, ...] | None = None
    expose_headers: tuple[str, ...] | None = None
    max_age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrl:
    """`qualifier` is an alias, or "" for the function itself; `id` the first label of the host name. Times are epoch
    seconds."""

    function: FunctionId
    qualifier: str
    id: str
    auth_type: Literal["NONE", "AWS_IAM"]
    invoke_mode: Literal["BUFFERED", "RESPONSE_STREAM"] = "BUFFERED"
    cors: Cors | None = None
    created_at: float
    modified_at: float
