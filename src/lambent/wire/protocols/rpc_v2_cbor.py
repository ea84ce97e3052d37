"""smithy-rpc-v2-cbor: POST /service/Service/operation/Operation, everything in a CBOR body."""

from collections.abc import Mapping

from botocore.model import OperationModel, ServiceModel

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.wire import cbor
from lambent.wire.body import plain_body
from lambent.wire.document_decoder import DocumentDecoder
from lambent.wire.document_encoder import DocumentEncoder, encode_fault_members
from lambent.wire.event_stream import CONTENT_TYPE, EncodeBody, EventStreamEncoder, stream_member
from lambent.wire.exceptions import SerializationException
from lambent.wire.fault import Fault
from lambent.wire.operation import Labels, Parse, Serialize
from lambent.wire.shapes import Shape

_CBOR = "application/cbor"
_NO_LABELS: Labels = {}


class RpcV2CborProtocol:
    def __init__(self, service: ServiceModel) -> None:
        self._prefix = f"/service/{service.metadata['targetPrefix']}/operation/"
        self._operations = frozenset(service.operation_names)
        self._query_compatible = "awsQueryCompatible" in service.metadata
        self._decoder = DocumentDecoder(binary=True)
        self._encoder = DocumentEncoder(binary=True)

    def match(self, request: Request) -> tuple[str, Labels] | None:
        _, found, name = request.path.partition(self._prefix)
        return (name, _NO_LABELS) if found and name in self._operations else None

    def compile_parse(self, operation: OperationModel) -> Parse:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        decode = self._decoder.compile(shape)

        def parse(request: Request, labels: Labels) -> Parameters:
            body = plain_body(request)
            try:
                parameters: Parameters = decode(cbor.decode(body) if body else {})
            except cbor.CborError as error:
                raise SerializationException(f"The request body is not CBOR: {error}") from error
            return parameters

        return parse

    def compile_serialize(self, operation: OperationModel) -> Serialize:
        shape = operation.output_shape
        if shape is None:
            return lambda output, request_id: Response(200, _headers(None, request_id))
        if stream_member(shape) is not None:
            return self._compile_stream(shape)
        encode = self._body_encoder(shape, shape.members)

        def serialize(output: Parameters, request_id: str) -> Response:
            return Response(200, _headers(_CBOR, request_id), encode(output))

        return serialize

    def _compile_stream(self, shape: Shape) -> Serialize:
        stream = stream_member(shape)
        assert stream is not None
        events = EventStreamEncoder(shape.members[stream], _CBOR, self._body_encoder)
        encode = self._body_encoder(shape, {name: m for name, m in shape.members.items() if name != stream})

        def serialize(output: Parameters, request_id: str) -> Response:
            rest = {name: value for name, value in output.items() if name != stream}
            first = events.initial_response(encode(rest))
            return Response(200, _headers(CONTENT_TYPE, request_id), events.encode(output[stream], first))

        return serialize

    def _body_encoder(self, shape: Shape, members: Mapping[str, Shape]) -> EncodeBody:
        encode = self._encoder.compile_members(shape.name, members)
        return lambda value: cbor.encode(encode(value))

    def serialize_fault(self, fault: Fault, request_id: str) -> Response:
        body = {"__type": fault.code, fault.message_name: fault.message}
        body |= encode_fault_members(self._encoder, fault)
        headers = _headers(_CBOR, request_id)
        if self._query_compatible:
            headers.append(("x-amzn-query-error", f"{fault.query_code};{fault.side}"))
        return Response(fault.status, headers, cbor.encode(body))


def _headers(content_type: str | None, request_id: str) -> list[tuple[str, str]]:
    headers = [("x-amzn-RequestId", request_id), ("smithy-protocol", "rpc-v2-cbor")]
    if content_type:
        headers.append(("Content-Type", content_type))
    return headers
