"""What rest-json and rest-xml have in common: routes, bindings, payload members, streams. They differ in
bodies."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from botocore.model import OperationModel, ServiceModel

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.wire.event_stream import CONTENT_TYPE, EncodeBody, EventStreamEncoder
from lambent.wire.fault import Fault
from lambent.wire.operation import Labels, Parse, Serialize
from lambent.wire.request_bindings import body_members as request_body_members
from lambent.wire.request_bindings import compile_bindings
from lambent.wire.response_bindings import body_members as response_body_members
from lambent.wire.response_bindings import compile_headers, status_member
from lambent.wire.routes import Router
from lambent.wire.shapes import Shape

DecodeBody = Callable[[bytes], Any]
EncodePayload = Callable[[Any], bytes | AsyncIterator[bytes]]
"""The body of a response from the whole output."""


class RestProtocol(ABC):
    request_id_header = "x-amzn-RequestId"
    content_type: str
    blob_content_type = "application/octet-stream"
    empty_is_absent = False

    def __init__(self, service: ServiceModel) -> None:
        self._router = Router(service)

    def match(self, request: Request) -> tuple[str, Labels] | None:
        return self._router.find(request)

    @abstractmethod
    def members_decoder(self, shape: Shape, members: Mapping[str, Shape]) -> DecodeBody:
        """Decodes a body that holds some members of a shape."""

    @abstractmethod
    def members_encoder(self, shape: Shape, members: Mapping[str, Shape], root: str) -> EncodeBody:
        """Encodes some members of a shape as a body; `root` names an XML body's element."""

    @abstractmethod
    def value_decoder(self, shape: Shape) -> DecodeBody:
        """Decodes a body that is one structure, list or document."""

    @abstractmethod
    def value_encoder(self, shape: Shape) -> EncodeBody: ...

    @abstractmethod
    def serialize_fault(self, fault: Fault, request_id: str) -> Response: ...

    def compile_parse(self, operation: OperationModel) -> Parse:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        read_bindings = compile_bindings(shape, empty_is_absent=self.empty_is_absent)
        payload = shape.serialization.get("payload")
        if payload is not None:
            return self._payload_parse(shape, payload, read_bindings)
        members = request_body_members(shape)
        if not members:

            def parse_bindings(request: Request, labels: Labels) -> Parameters:
                parameters: Parameters = {}
                read_bindings(request, labels, parameters)
                return parameters

            return parse_bindings
        decode = self.members_decoder(shape, members)

        def parse(request: Request, labels: Labels) -> Parameters:
            parameters: Parameters = decode(request.body) if request.body else {}
            read_bindings(request, labels, parameters)
            return parameters

        return parse

    def _payload_parse(
        self, shape: Shape, payload: str, read_bindings: Callable[[Request, Labels, Parameters], None]
    ) -> Parse:
        """With an empty body the payload is absent from the parameters, unless it must be there and may be empty."""
        member = shape.members[payload]
        raw = _raw_decoder(member)
        decode = raw or self.value_decoder(member)
        always = raw is not None and payload in shape.required_members

        def parse(request: Request, labels: Labels) -> Parameters:
            parameters: Parameters = {}
            read_bindings(request, labels, parameters)
            if request.stream is not None:
                parameters[payload] = request.stream  # only where the model says that it may be one
            elif request.body or always:
                parameters[payload] = decode(request.body)
            return parameters

        return parse

    def compile_serialize(self, operation: OperationModel) -> Serialize:
        shape = operation.output_shape
        status = operation.http.get("responseCode", 200)
        id_header = self.request_id_header
        if shape is None:
            return lambda output, request_id: Response(status, [(id_header, request_id)])
        encode, content_type = self._compile_body(operation, shape)
        if status == 204:
            encode, content_type = None, ""
        write_headers = compile_headers(shape)
        status_from = status_member(shape)
        has_own_type = any(
            member.serialization.get("name", "").lower() == "content-type"
            for member in shape.members.values()
            if member.serialization.get("location") == "header"
        )

        def serialize(output: Parameters, request_id: str) -> Response:
            headers = [(id_header, request_id)]
            write_headers(output, headers)
            if content_type and not (
                has_own_type and any(name.lower() == "content-type" for name, _ in headers)
            ):
                headers.append(("Content-Type", content_type))
            code = status if status_from is None else output.get(status_from, status)
            return Response(code, headers, b"" if encode is None else encode(output))

        return serialize

    def _compile_body(self, operation: OperationModel, shape: Shape) -> tuple[EncodePayload | None, str]:
        """The body's encoder, None where there is no body, and its content type."""
        payload = shape.serialization.get("payload")
        if payload is None:
            members = response_body_members(shape)
            return self._compile_members_body(operation, shape, members)
        member = shape.members[payload]
        if member.serialization.get("eventstream"):
            events = EventStreamEncoder(member, self.content_type, self._event_body)
            return lambda output: events.encode(output[payload]), CONTENT_TYPE
        if member.type_name in ("blob", "string"):
            is_text = member.type_name == "string"
            return _raw_encoder(payload), "text/plain" if is_text else self.blob_content_type
        encode = self.value_encoder(member)

        def encode_payload(output: Parameters) -> bytes:
            value = output.get(payload)
            return b"" if value is None else encode(value)

        return encode_payload, self.content_type

    def _compile_members_body(
        self, operation: OperationModel, shape: Shape, members: Mapping[str, Shape]
    ) -> tuple[EncodePayload | None, str]:
        if not members and not self.writes_empty_body:
            return None, ""
        encode = self.members_encoder(shape, members, f"{operation.name}Result")
        if len(members) == len(shape.members):
            return encode, self.content_type
        return lambda output: encode({k: v for k, v in output.items() if k in members}), self.content_type

    def _event_body(self, shape: Shape, members: Mapping[str, Shape]) -> EncodeBody:
        return self.members_encoder(shape, members, shape.name)

    writes_empty_body = True
    """Whether an output without body members has a body nevertheless: {} in rest-json, nothing in
    rest-xml."""


def _raw_decoder(member: Shape) -> DecodeBody | None:
    """Blobs and strings are the body itself."""
    if member.type_name == "blob":
        return lambda body: body
    if member.type_name == "string":
        return lambda body: body.decode("utf-8", "replace")
    return None


def _raw_encoder(payload: str) -> EncodePayload:
    def encode_raw(output: Parameters) -> bytes | AsyncIterator[bytes]:
        value = output.get(payload)
        if value is None:
            return b""
        return value.encode() if isinstance(value, str) else value

    return encode_raw
