"""json 1.0 and 1.1: POST / with X-Amz-Target: Prefix.Operation, everything in the body."""

from collections.abc import Mapping

import orjson
from botocore.model import OperationModel, ServiceModel

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.wire.body import plain_body, read_json
from lambent.wire.document_decoder import DocumentDecoder
from lambent.wire.document_encoder import DocumentEncoder, encode_fault_members
from lambent.wire.event_stream import CONTENT_TYPE, EncodeBody, EventStreamEncoder, stream_member
from lambent.wire.fault import Fault
from lambent.wire.operation import Labels, Parse, Serialize
from lambent.wire.shapes import Shape

_NO_LABELS: Labels = {}


class JsonProtocol:
    def __init__(self, service: ServiceModel) -> None:
        metadata = service.metadata
        self._prefix = f"{metadata['targetPrefix']}."
        self._operations = frozenset(service.operation_names)
        self._content_type = f"application/x-amz-json-{metadata.get('jsonVersion', '1.0')}"
        self._query_compatible = "awsQueryCompatible" in metadata
        self._decoder = DocumentDecoder()
        self._encoder = DocumentEncoder()

    def match(self, request: Request) -> tuple[str, Labels] | None:
        target = request.headers.get("x-amz-target")
        if target is None or not target.startswith(self._prefix):
            return None
        name = target[len(self._prefix) :]
        return (name, _NO_LABELS) if name in self._operations else None

    def compile_parse(self, operation: OperationModel) -> Parse:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        decode = self._decoder.compile(shape)

        def parse(request: Request, labels: Labels) -> Parameters:
            parameters: Parameters = decode(read_json(plain_body(request)))
            return parameters

        return parse

    def compile_serialize(self, operation: OperationModel) -> Serialize:
        shape = operation.output_shape
        content_type = self._content_type
        if shape is None:
            return lambda output, request_id: Response(200, _headers(content_type, request_id))
        if stream_member(shape) is not None:
            return self._compile_stream(shape)
        encode = self._body_encoder(shape, shape.members)

        def serialize(output: Parameters, request_id: str) -> Response:
            return Response(200, _headers(content_type, request_id), encode(output))

        return serialize

    def _compile_stream(self, shape: Shape) -> Serialize:
        stream = stream_member(shape)
        assert stream is not None
        events = EventStreamEncoder(shape.members[stream], self._content_type, self._body_encoder)
        encode = self._body_encoder(shape, {name: m for name, m in shape.members.items() if name != stream})

        def serialize(output: Parameters, request_id: str) -> Response:
            rest = {name: value for name, value in output.items() if name != stream}
            first = events.initial_response(encode(rest))
            return Response(200, _headers(CONTENT_TYPE, request_id), events.encode(output[stream], first))

        return serialize

    def _body_encoder(self, shape: Shape, members: Mapping[str, Shape]) -> EncodeBody:
        encode = self._encoder.compile_members(shape.name, members)
        return lambda value: orjson.dumps(encode(value))

    def serialize_fault(self, fault: Fault, request_id: str) -> Response:
        body = {"__type": fault.code, fault.message_name: fault.message}
        body |= encode_fault_members(self._encoder, fault)
        headers = _headers(self._content_type, request_id)
        if self._query_compatible:
            headers.append(("x-amzn-query-error", f"{fault.query_code};{fault.side}"))
        return Response(fault.status, headers, orjson.dumps(body))


def _headers(content_type: str, request_id: str) -> list[tuple[str, str]]:
    return [("x-amzn-RequestId", request_id), ("Content-Type", content_type)]
