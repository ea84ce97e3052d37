"""query: Action=Operation and its parameters in a form (or the query string); XML comes back."""

from urllib.parse import parse_qsl

from botocore.model import OperationModel, ServiceModel

from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.wire import sqs_query
from lambent.wire.body import plain_body
from lambent.wire.fault import Fault
from lambent.wire.form_decoder import FormDecoder, build_tree
from lambent.wire.operation import Labels, Parse, Serialize
from lambent.wire.xml_encoder import XmlEncoder, escape_text

_FORM = "application/x-www-form-urlencoded"
_NAMESPACE_HOSTS = {"sqs": "queue.amazonaws.com"}
"""Where the namespace is no longer in the model and the host is not the service's name."""


class QueryProtocol:
    def __init__(self, service: ServiceModel) -> None:
        self._operations = frozenset(service.operation_names)
        self._namespace = _namespace(service)
        self._decoder = FormDecoder()
        self._encoder = XmlEncoder()
        self._is_sqs = service.service_name == "sqs"

    def match(self, request: Request) -> tuple[str, Labels] | None:
        """The labels are the form's parameters: the name of the operation is one of them."""
        if "Action=" not in request.query and not request.headers.get("content-type", "").startswith(_FORM):
            return None
        form = dict(parse_qsl(request.query, keep_blank_values=True))
        if request.body:
            form |= parse_qsl(plain_body(request).decode("utf-8", "replace"), keep_blank_values=True)
        name = form.get("Action", "")
        if self._is_sqs and request.path.count("/") == 2:  # sent to a queue's own URL
            if name in sqs_query.NOT_OF_A_QUEUE:
                return None
            form.setdefault("QueueUrl", request.path)
        return (name, form) if name in self._operations else None

    def compile_parse(self, operation: OperationModel) -> Parse:
        shape = operation.input_shape
        if shape is None:
            return lambda request, labels: {}
        decode = self._decoder.compile(shape)

        def parse(request: Request, labels: Labels) -> Parameters:
            parameters: Parameters = decode(build_tree(labels))
            return parameters

        return parse

    def compile_serialize(self, operation: OperationModel) -> Serialize:
        shape = operation.output_shape
        name = operation.name
        start = f'<{name}Response xmlns="{self._namespace}">'
        end = "<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>" + f"</{name}Response>"
        if shape is None:
            return lambda output, request_id: _response(200, start + end.format(request_id), request_id)
        wrapper = shape.serialization.get("resultWrapper", f"{name}Result")
        write = self._encoder.content(shape)

        def serialize(output: Parameters, request_id: str) -> Response:
            out = [start, f"<{wrapper}>"]
            write(output, out)
            if len(out) == 2:
                out[1] = f"<{wrapper}/>"
            else:
                out.append(f"</{wrapper}>")
            out.append(end.format(request_id))
            return _response(200, "".join(out), request_id)

        return serialize

    def serialize_fault(self, fault: Fault, request_id: str) -> Response:
        if fault.code == "UnknownOperationException":
            return _response(
                fault.status, f'<UnknownOperationException xmlns="{self._namespace}"/>', request_id
            )
        out = [
            f'<ErrorResponse xmlns="{self._namespace}"><Error><Type>{fault.side}</Type>',
            f"<Code>{escape_text(fault.query_code)}</Code>",
        ]
        if message := self._message(fault):
            out.append(f"<Message>{escape_text(message)}</Message>")
        if self._is_sqs:
            out.append("<Detail/>")
        if fault.shape is not None:
            self._encoder.compile_members(fault.code, fault.shapes)(fault.members, out)
        out.append(f"</Error><RequestId>{escape_text(request_id)}</RequestId></ErrorResponse>")
        return _response(fault.status, "".join(out), request_id)

    def _message(self, fault: Fault) -> str:
        return sqs_query.MESSAGES.get(fault.message, fault.message) if self._is_sqs else fault.message


def _namespace(service: ServiceModel) -> str:
    namespace = service.metadata.get("xmlNamespace")
    if namespace:
        return str(namespace)
    host = _NAMESPACE_HOSTS.get(service.service_name, f"{service.metadata['endpointPrefix']}.amazonaws.com")
    return f"http://{host}/doc/{service.metadata['apiVersion']}/"


def _response(status: int, body: str, request_id: str) -> Response:
    headers = [("x-amzn-RequestId", request_id), ("Content-Type", "text/xml")]
    return Response(status, headers, body.encode())
