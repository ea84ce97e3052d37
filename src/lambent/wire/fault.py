"""What the service model says of an error: its status, whose fault it is, and how its members are spelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import ServiceModel

from lambent.model.error import ServiceException
from lambent.wire import sqs_query
from lambent.wire.event_stream import message_member
from lambent.wire.shapes import Shape

_NO_MEMBERS: Mapping[str, Shape] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error, ready for any protocol. `code` is the error shape's name, `query_code` the one that the query
    and rest-xml protocols use. `message_name` is how the shape spells its message (CloudWatch Logs' shapes
    name none, and send one); `members` are the others, by the model's names."""

    code: str
    query_code: str
    status: int
    message: str
    message_name: str
    members: Mapping[str, Any]
    shape: Shape | None

    @property
    def side(self) -> str:
        """Who is at fault, in the query protocol's word."""
        return "Sender" if self.status < 500 else "Receiver"

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return self.shape.members if self.shape is not None else _NO_MEMBERS


class FaultTable:
    """The errors of one service, by their shapes' names and by their codes."""

    def __init__(self, service: ServiceModel, description: Mapping[str, Any]) -> None:
        """`description` is the document that `service` is of: botocore leaves out whose fault an error is."""
        self._shapes: dict[str, Shape] = {}
        self._server_faults = frozenset(
            name for name, shape in description["shapes"].items() if shape.get("fault")
        )
        self._query_codes = sqs_query.ERROR_CODES if service.service_name == "sqs" else {}
        for shape in service.error_shapes:
            self._shapes[shape.name] = shape
            code = shape.metadata.get("error", {}).get("code")
            if code:
                self._shapes.setdefault(code, shape)

    def describe(self, error: ServiceException) -> Fault:
        shape = self._shapes.get(error.code)
        if shape is None:
            status = error.status or 400
            return Fault(
                code=error.code,
                query_code=self._query_codes.get(error.code, error.code),
                status=status,
                message=error.message,
                message_name="message",
                members=error.members,
                shape=None,
            )
        modeled = shape.metadata.get("error", {})
        is_server_fault = shape.name in self._server_faults or bool(modeled.get("fault"))
        status = modeled.get("httpStatusCode") or error.status or (500 if is_server_fault else 400)
        return Fault(
            code=shape.name,
            query_code=modeled.get("code") or self._query_codes.get(shape.name, shape.name),
            status=status,
            message=error.message,
            message_name=message_member(shape),
            members=error.members,
            shape=shape,
        )
