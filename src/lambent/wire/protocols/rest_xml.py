"""rest-xml: S3's protocol."""

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, ServiceModel

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.wire.body_integrity import check_body
from lambent.wire.event_stream import EncodeBody
from lambent.wire.exceptions import RejectedRequest
from lambent.wire.fault import Fault
from lambent.wire.operation import Labels, Parse, Serialize
from lambent.wire.protocols.rest import DecodeBody, RestProtocol
from lambent.wire.shapes import Shape
from lambent.wire.xml_decoder import XmlDecoder, parse_xml
from lambent.wire.xml_encoder import Content, XmlEncoder, escape_text

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_S3_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsOutput",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
"""S3's root elements, where they are not called after the operation. Source: the S3 API reference."""
_S3_NO_CONTENT = frozenset(
    {
        "PutBucketAnalyticsConfiguration",
        "PutBucketIntelligentTieringConfiguration",
        "PutBucketInventoryConfiguration",
        "PutBucketMetricsConfiguration",
        "PutBucketPolicy",
        "PutBucketTagging",
    }
)
"""Operations that AWS answers with 204, as it does every delete, and the model does not say so."""


class RestXmlProtocol(RestProtocol):
    content_type = "application/xml"
    writes_empty_body = False

    def __init__(self, service: ServiceModel) -> None:
        super().__init__(service)
        self._is_s3 = service.service_name == "s3"
        namespace = service.metadata.get("xmlNamespace") or (_S3_NAMESPACE if self._is_s3 else "")
        self._xmlns = f' xmlns="{namespace}"' if namespace else ""
        if self._is_s3:
            self.blob_content_type = "binary/octet-stream"
        self.request_id_header = "x-amz-request-id" if self._is_s3 else "x-amzn-RequestId"
        self._decoder = XmlDecoder()
        self._encoder = XmlEncoder("iso8601milliseconds" if self._is_s3 else "iso8601")
        self.empty_is_absent = self._is_s3

    def compile_parse(self, operation: OperationModel) -> Parse:
        parse = super().compile_parse(operation)
        if not self._is_s3 or operation.has_streaming_input:
            return parse
        shape = operation.input_shape
        if shape is not None and _wants_document(shape):
            parse = _with_body_required(parse)
        hashed = "requestAlgorithmMember" in operation.http_checksum
        return _with_body_checked(operation.name, parse) if hashed else parse

    def compile_serialize(self, operation: OperationModel) -> Serialize:
        if self._is_s3 and operation.name == "GetBucketLocation":
            return self._serialize_bucket_location
        serialize = super().compile_serialize(operation)
        if self._is_s3 and operation.name in ("GetObject", "HeadObject"):
            serialize = _partial_where_a_range(serialize)
        if self._is_s3 and operation.name == "HeadBucket":
            serialize = _as_if_it_had_a_body(serialize, self.content_type)
        if self._is_s3 and operation.name in ("ListObjects", "ListObjectsV2"):
            serialize = _with_region(serialize)
        if self._is_s3 and operation.name == "RestoreObject":
            serialize = _with_its_own_status(serialize)
        if self._is_s3 and operation.name in _S3_NO_CONTENT:
            serialize = _without_content(serialize)
        return _with_host_id(serialize) if self._is_s3 else serialize

    def _serialize_bucket_location(self, output: Parameters, request_id: str) -> Response:
        """The only output whose root element is the member itself."""
        region = escape_text(output.get("LocationConstraint") or "")
        body = f"{_DECLARATION}<LocationConstraint{self._xmlns}>{region}</LocationConstraint>"
        headers = [(self.request_id_header, request_id), ("Content-Type", self.content_type)]
        return Response(200, headers, body.encode())

    def members_decoder(self, shape: Shape, members: Mapping[str, Shape]) -> DecodeBody:
        decode = self._decoder.compile_members(members)
        return lambda body: decode(parse_xml(body))

    def members_encoder(self, shape: Shape, members: Mapping[str, Shape], root: str) -> EncodeBody:
        if self._is_s3:
            root = _S3_ROOTS.get(root.removesuffix("Result"), root)
        return self._document(root, self._encoder.compile_members(shape.name, members))

    def value_decoder(self, shape: Shape) -> DecodeBody:
        decode = self._decoder.compile(shape)
        return lambda body: decode(parse_xml(body))

    def value_encoder(self, shape: Shape) -> EncodeBody:
        return self._document(shape.serialization.get("name", shape.name), self._encoder.content(shape))

    def _document(self, root: str, write: Content) -> EncodeBody:
        start, end = f"{_DECLARATION}<{root}{self._xmlns}>", f"</{root}>"

        def encode(value: Any) -> bytes:
            out = [start]
            write(value, out)
            out.append(end)
            return "".join(out).encode()

        return encode

    def serialize_fault(self, fault: Fault, request_id: str) -> Response:
        headers = [(self.request_id_header, request_id), ("Content-Type", self.content_type)]
        inner = [
            f"<Code>{escape_text(fault.query_code)}</Code><Message>{escape_text(fault.message)}</Message>"
        ]
        for name, value in fault.members.items():
            if name in fault.shapes:
                self._encoder.compile_members(fault.code, fault.shapes)({name: value}, inner)
            else:
                inner.append(f"<{name}>{escape_text(str(value))}</{name}>")
        identity = f"<RequestId>{escape_text(request_id)}</RequestId>"
        if self._is_s3:
            headers.append(("x-amz-id-2", request_id))
            body = f"<Error>{''.join(inner)}{identity}<HostId>{escape_text(request_id)}</HostId></Error>"
        else:
            kind = f"<Type>{fault.side}</Type>"
            body = (
                f"<ErrorResponse{self._xmlns}><Error>{kind}{''.join(inner)}</Error>{identity}</ErrorResponse>"
            )
        return Response(fault.status, headers, f"{_DECLARATION}{body}".encode())


def _wants_document(shape: Shape) -> bool:
    payload = shape.serialization.get("payload")
    return payload in shape.required_members and shape.members[payload].type_name == "structure"


def _with_body_required(parse: Parse) -> Parse:
    def parse_required(request: Request, labels: Labels) -> Parameters:
        if not request.body:
            raise RejectedRequest("MissingRequestBodyError", "Request Body is empty")
        return parse(request, labels)

    return parse_required


def _with_body_checked(operation: str, parse: Parse) -> Parse:
    def parse_checked(request: Request, labels: Labels) -> Parameters:
        check_body(operation, request.headers, request.body)
        return parse(request, labels)

    return parse_checked


def _with_host_id(serialize: Serialize) -> Serialize:
    """S3 names the host beside the request, which support asks for."""

    def serialize_with_host(output: Parameters, request_id: str) -> Response:
        response = serialize(output, request_id)
        response.headers.append(("x-amz-id-2", request_id))
        response.headers.append(("Server", "AmazonS3"))
        return response

    return serialize_with_host


def _as_if_it_had_a_body(serialize: Serialize, content_type: str) -> Serialize:
    """HeadBucket says of what type it would be."""

    def serialize_head(output: Parameters, request_id: str) -> Response:
        response = serialize(output, request_id)
        response.headers.append(("Content-Type", content_type))
        return response

    return serialize_head


def _with_region(serialize: Serialize) -> Serialize:
    """A header that these answers have, and that the model does not know: it tells clients where a bucket is."""

    def serialize_listing(output: Parameters, request_id: str) -> Response:
        response = serialize(output, request_id)
        if "BucketRegion" in output:
            response.headers.append(("x-amz-bucket-region", output["BucketRegion"]))
        return response

    return serialize_listing


def _with_its_own_status(serialize: Serialize) -> Serialize:
    """The model knows one status of an operation: that one which is accepted may be 202, it does not say."""

    def serialize_accepted(output: Parameters, request_id: str) -> Response:
        response = serialize(output, request_id)
        response.status = output.get("HTTPStatusCode", response.status)
        return response

    return serialize_accepted


def _partial_where_a_range(serialize: Serialize) -> Serialize:
    """The model knows one status of an operation: that a part of an object is 206, it does not say."""

    def serialize_object(output: Parameters, request_id: str) -> Response:
        response = serialize(output, request_id)
        if "ContentRange" in output:
            response.status = 206
        return response

    return serialize_object


def _without_content(serialize: Serialize) -> Serialize:
    def serialize_nothing(output: Parameters, request_id: str) -> Response:
        response = serialize(output, request_id)
        response.status = 204
        return response

    return serialize_nothing
