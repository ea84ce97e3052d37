"""What the protocols have in common that put everything of an operation, but its name, in the body."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel, ServiceModel

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.wire.body import plain_body
from lambent.wire.document_decoder import DocumentDecoder
from lambent.wire.document_encoder import DocumentEncoder, encode_fault_members
from lambent.wire.event_stream import CONTENT_TYPE, EncodeBody, EventStreamEncoder, stream_member
from lambent.wire.fault import Fault
from lambent.wire.operation import Labels, Parse, Serialize
from lambent.wire.shapes import Shape

NO_LABELS: Labels = {}


class RpcProtocol:
    """`read` raises SerializationException; `binary` as in DocumentDecoder; `headers` are in every answer."""

    def __init__(
        self,
        service: ServiceModel,
        content_type: str,
        read: Callable[[bytes], Any],
        write: Callable[[Any], bytes],
        *,
        binary: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._content_type = content_type
        self._read = read
        self._write = write
        self._headers_always = headers
        self._query_compatible = "awsQueryCompatible" in service.metadata
        self._decoder = DocumentDecoder(binary=binary)
        self._encoder = DocumentEncoder(binary=binary)

    def compile_parse(self, operation: OperationModel) -> Parse:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        read, decode = self._read, self._decoder.compile(shape)

        def parse(request: Request, labels: Labels) -> Parameters:
            parameters: Parameters = decode(read(plain_body(request)))
            return parameters

        return parse

    def compile_serialize(self, operation: OperationModel) -> Serialize:
        shape = operation.output_shape
        if shape is None:
            return lambda output, request_id: Response(200, self._without_body(request_id))
        if stream_member(shape) is not None:
            return self._compile_stream(shape)
        encode = self._body_encoder(shape, shape.members)

        def serialize(output: Parameters, request_id: str) -> Response:
            return Response(200, self._headers(self._content_type, request_id), encode(output))

        return serialize

    def _compile_stream(self, shape: Shape) -> Serialize:
        stream = stream_member(shape)
        assert stream is not None
        events = EventStreamEncoder(shape.members[stream], self._content_type, self._body_encoder)
        encode = self._body_encoder(shape, {name: m for name, m in shape.members.items() if name != stream})

        def serialize(output: Parameters, request_id: str) -> Response:
            rest = {name: value for name, value in output.items() if name != stream}
            first = events.initial_response(encode(rest))
            return Response(
                200, self._headers(CONTENT_TYPE, request_id), events.encode(output[stream], first)
            )

        return serialize

    def serialize_fault(self, fault: Fault, request_id: str) -> Response:
        body = {"__type": fault.code, **({fault.message_name: fault.message} if fault.message else {})}
        body |= encode_fault_members(self._encoder, fault)
        headers = self._headers(self._content_type, request_id)
        if self._query_compatible:
            headers.append(("x-amzn-query-error", f"{fault.query_code};{fault.side}"))
        return Response(fault.status, headers, self._write(body))

    def _body_encoder(self, shape: Shape, members: Mapping[str, Shape]) -> EncodeBody:
        write, encode = self._write, self._encoder.compile_members(shape.name, members)
        return lambda value: write(encode(value))

    def _headers(self, content_type: str, request_id: str) -> list[tuple[str, str]]:
        return [("x-amzn-RequestId", request_id), *self._headers_always, ("Content-Type", content_type)]

    def _without_body(self, request_id: str) -> list[tuple[str, str]]:
        return self._headers(self._content_type, request_id)
