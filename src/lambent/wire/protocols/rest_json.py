"""rest-json: Lambda's protocol."""

from collections.abc import Mapping

import orjson
from botocore.model import ServiceModel

from lambent.http.message import Response
from lambent.wire.body import read_json
from lambent.wire.document_decoder import DocumentDecoder
from lambent.wire.document_encoder import DocumentEncoder, encode_fault_members
from lambent.wire.event_stream import EncodeBody
from lambent.wire.fault import Fault
from lambent.wire.protocols.rest import DecodeBody, RestProtocol
from lambent.wire.response_bindings import compile_headers
from lambent.wire.shapes import Shape

_BLOB_CONTENT_TYPES = {"lambda": "application/json"}
"""What a blob payload is announced as, where it is not plain bytes: Lambda's Invoke says JSON."""


class RestJsonProtocol(RestProtocol):
    content_type = "application/json"

    def __init__(self, service: ServiceModel) -> None:
        super().__init__(service)
        self.blob_content_type = _BLOB_CONTENT_TYPES.get(service.service_name, RestProtocol.blob_content_type)
        self._decoder = DocumentDecoder()
        self._encoder = DocumentEncoder()

    def members_decoder(self, shape: Shape, members: Mapping[str, Shape]) -> DecodeBody:
        decode = self._decoder.compile_members(shape, members)
        return lambda body: decode(read_json(body))

    def members_encoder(self, shape: Shape, members: Mapping[str, Shape], root: str) -> EncodeBody:
        encode = self._encoder.compile_members(shape.name, members)
        return lambda value: orjson.dumps(encode(value))

    def value_decoder(self, shape: Shape) -> DecodeBody:
        decode = self._decoder.compile(shape)
        return lambda body: decode(read_json(body))

    def value_encoder(self, shape: Shape) -> EncodeBody:
        encode = self._encoder.compile(shape)
        return orjson.dumps if encode is None else lambda value: orjson.dumps(encode(value))

    def serialize_fault(self, fault: Fault, request_id: str) -> Response:
        headers = [
            (self.request_id_header, request_id),
            ("x-amzn-ErrorType", fault.code),
            ("Content-Type", self.content_type),
        ]
        body = {fault.message_name: fault.message}
        if fault.shape is not None:
            compile_headers(fault.shape)(fault.members, headers)
        body |= encode_fault_members(self._encoder, fault)
        return Response(fault.status, headers, orjson.dumps(body))
