"""json 1.0 and 1.1: POST / with X-Amz-Target: Prefix.Operation, everything in the body."""

import orjson
from botocore.model import ServiceModel

from lambent.http.message import Request
from lambent.wire.body import read_json
from lambent.wire.operation import Labels
from lambent.wire.protocols.rpc import NO_LABELS, RpcProtocol


class JsonProtocol(RpcProtocol):
    def __init__(self, service: ServiceModel) -> None:
        version = service.metadata.get("jsonVersion", "1.0")
        super().__init__(service, f"application/x-amz-json-{version}", read_json, orjson.dumps)
        self._prefix = f"{service.metadata['targetPrefix']}."
        self._operations = frozenset(service.operation_names)

    def match(self, request: Request) -> tuple[str, Labels] | None:
        target = request.headers.get("x-amz-target")
        if target is None or not target.startswith(self._prefix):
            return None
        name = target[len(self._prefix) :]
        return (name, NO_LABELS) if name in self._operations else None
