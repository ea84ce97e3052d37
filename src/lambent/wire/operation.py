"""One operation in one protocol, compiled: from a request to parameters, from an output to a response."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from botocore.model import OperationModel

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.wire.fault import Fault

Labels = Mapping[str, str]
"""What matching already found out: the labels of a path, or the parameters of a form."""
Parse = Callable[[Request, Labels], Parameters]
Serialize = Callable[[Parameters, str], Response]
"""(output, request id) -> response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledOperation:
    name: str
    model: OperationModel
    parse: Parse
    serialize: Serialize


class WireProtocol(Protocol):
    """One protocol of one service. Constraints and idempotency tokens are not its business."""

    def match(self, request: Request) -> tuple[str, Labels] | None:
        """The operation that the request names in this protocol's manner, or None. May raise
        SerializationException where the name stands inside a body that cannot be read."""
        ...

    def compile_parse(self, operation: OperationModel) -> Parse: ...

    def compile_serialize(self, operation: OperationModel) -> Serialize: ...

    def serialize_fault(self, fault: Fault, request_id: str) -> Response: ...
