"""What a runner works for: an event source mapping, or a pipe in the form of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambent.model.function import FunctionId


class Work(Protocol):
    """`uuid` and `arn` name it; `settings` are a mapping's; the rest is what is invoked with its batches."""

    @property
    def uuid(self) -> str: ...
    @property
    def arn(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def function(self) -> FunctionId: ...
    @property
    def qualifier(self) -> str | None: ...
    @property
    def function_arn(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeWork:
    """Implements Work. A pipe's batches go to itself: pipes.flow."""

    uuid: str
    arn: str
    settings: Mapping[str, Any]
    function: FunctionId
    function_arn: str
    qualifier: None = None
