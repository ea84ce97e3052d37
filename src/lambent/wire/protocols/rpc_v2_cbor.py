"""smithy-rpc-v2-cbor: POST /service/Service/operation/Operation, everything in a CBOR body."""

from typing import Any

from botocore.model import ServiceModel

from lambent.http.message import Request
from lambent.wire import cbor
from lambent.wire.exceptions import SerializationException
from lambent.wire.operation import Labels
from lambent.wire.protocols.rpc import NO_LABELS, RpcProtocol

_SPOKEN = ("smithy-protocol", "rpc-v2-cbor")


class RpcV2CborProtocol(RpcProtocol):
    def __init__(self, service: ServiceModel) -> None:
        super().__init__(service, "application/cbor", read_cbor, cbor.encode, binary=True, headers=(_SPOKEN,))
        self._prefix = f"/service/{service.metadata['targetPrefix']}/operation/"
        self._operations = frozenset(service.operation_names)

    def match(self, request: Request) -> tuple[str, Labels] | None:
        _, found, name = request.path.partition(self._prefix)
        return (name, NO_LABELS) if found and name in self._operations else None

    def _without_body(self, request_id: str) -> list[tuple[str, str]]:
        """What says nothing is of no type: the protocol wants that left out."""
        return [("x-amzn-RequestId", request_id), _SPOKEN]


def read_cbor(body: bytes) -> Any:
    """An empty body is an empty structure."""
    try:
        return cbor.decode(body) if body else {}
    except cbor.CborError as error:
        raise SerializationException(f"The request body is not CBOR: {error}") from error
