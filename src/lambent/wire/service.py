"""One AWS service on the wire: which operation a request is for, what its parameters are, what goes back.

Everything comes from botocore's model of the service. An operation is compiled when it is first asked for.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from lambent.base.ids import new_uuid
from lambent.http.message import Request, Response
from lambent.model.caller import Parameters
from lambent.model.error import ServiceException
from lambent.wire.constraint_style import constraint_style
from lambent.wire.constraints import ConstraintCompiler
from lambent.wire.exceptions import SerializationException
from lambent.wire.fault import FaultTable
from lambent.wire.operation import CompiledOperation, Labels, Parse, WireProtocol
from lambent.wire.plain_document import read_plain
from lambent.wire.protocols.json_rpc import JsonProtocol
from lambent.wire.protocols.query import QueryProtocol
from lambent.wire.protocols.rest_json import RestJsonProtocol
from lambent.wire.protocols.rest_xml import RestXmlProtocol
from lambent.wire.protocols.rpc_v2_cbor import RpcV2CborProtocol
from lambent.wire.sqs_query import model_with_query_names

_PROTOCOLS: dict[str, Callable[[ServiceModel], WireProtocol]] = {
    "smithy-rpc-v2-cbor": RpcV2CborProtocol,
    "json": JsonProtocol,
    "query": QueryProtocol,
    "rest-json": RestJsonProtocol,
    "rest-xml": RestXmlProtocol,
}
"""In the order in which a request is tried: from the most telling mark to the least."""


class Match(msgspec.Struct):
    """A request's operation, and the protocol in which it is asked and will be answered. Not frozen: one is
    made per request, and a frozen one costs three times as much."""

    operation: str
    protocol: str
    labels: Labels
    compiled: CompiledOperation


class WireService:
    """`name` is botocore's ("stepfunctions"), `signing_name` what a signature's scope says ("states")."""

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        """`description` is a service-2 document of botocore's."""
        model = ServiceModel(description, name)
        self.name = name
        self.model = model
        self.signing_name: str = model.signing_name
        self.models = _models_by_protocol(model, description)
        self.protocols = {protocol: _PROTOCOLS[protocol](own) for protocol, own in self.models.items()}
        self._constraints = ConstraintCompiler(constraint_style(name))
        self._faults = FaultTable(model, description)
        self._compiled: dict[tuple[str, str], CompiledOperation] = {}

    def match(self, request: Request) -> Match | None:
        """None: the request is not for this service. Raises SerializationException where a form cannot be
        read."""
        for protocol, wire in self.protocols.items():
            found = wire.match(request)
            if found is not None:
                operation, labels = found
                compiled = self._compiled.get((protocol, operation))
                if compiled is None:
                    compiled = self._compile(protocol, operation)
                return Match(operation, protocol, labels, compiled)
        return None

    def parse(self, match: Match, request: Request) -> Parameters:
        """The operation's input, which satisfies the model. Raises SerializationException, or the service's
        own validation error."""
        return match.compiled.parse(request, match.labels)

    def read_plain(self, operation: str, value: Any) -> Parameters:
        """Parameters from decoded JSON that somebody wrote by hand (plain_document.py), satisfying the model. Raises
        SerializationException, or the service's own validation error."""
        shape = self.model.operation_model(operation).input_shape
        parameters: Parameters = read_plain(shape, value) if shape is not None else {}
        validate = self._constraints.compile_input(shape)
        if validate is not None:
            validate(parameters)
        return parameters

    def serialize(self, match: Match, output: Parameters, request_id: str) -> Response:
        return match.compiled.serialize(output, request_id)

    def serialize_error(self, match: Match | str, error: ServiceException, request_id: str) -> Response:
        """`match` may be a protocol's name, for requests that matched no operation."""
        protocol = match if isinstance(match, str) else match.protocol
        response = self.protocols[protocol].serialize_fault(self._faults.describe(error), request_id)
        response.headers.extend(error.headers.items())
        if isinstance(match, Match) and match.compiled.model.http.get("method") == "HEAD":
            response.body = b""
        return response

    def protocol_of(self, request: Request) -> str:
        """The protocol to answer in when `match` found no operation."""
        content_type = request.headers.get("content-type", "")
        marks = {
            "smithy-rpc-v2-cbor": "smithy-protocol" in request.headers or content_type == "application/cbor",
            "json": "x-amz-target" in request.headers or content_type.startswith("application/x-amz-json"),
            "query": "Action=" in request.query
            or content_type.startswith("application/x-www-form-urlencoded"),
        }
        if self.name == "sqs" and request.method == "GET":  # a queue's URL, opened in a browser
            return "query"
        return next((name for name in self.protocols if marks.get(name)), next(iter(self.protocols)))

    def _compile(self, protocol: str, name: str) -> CompiledOperation:
        operation = self.models[protocol].operation_model(name)
        wire = self.protocols[protocol]
        compiled = CompiledOperation(
            name=name,
            model=operation,
            parse=self._compile_parse(operation, wire.compile_parse(operation)),
            serialize=wire.compile_serialize(operation),
        )
        self._compiled[protocol, name] = compiled
        return compiled

    def _compile_parse(self, operation: OperationModel, read: Parse) -> Parse:
        tokens = operation.idempotent_members
        validate = self._constraints.compile_input(operation.input_shape)

        def parse(request: Request, labels: Labels) -> Parameters:
            try:
                parameters = read(request, labels)
                for token in tokens:
                    if token not in parameters:
                        parameters[token] = new_uuid()
                if validate is not None:
                    validate(parameters)
            except RecursionError:
                raise SerializationException("The request is nested too deeply") from None
            return parameters

        return parse


def _models_by_protocol(model: ServiceModel, description: dict[str, Any]) -> dict[str, ServiceModel]:
    """Every protocol that the service speaks, or once spoke, with the model to speak it by."""
    offered = model.metadata.get("protocols") or [model.metadata["protocol"]]
    models = {protocol: model for protocol in _PROTOCOLS if protocol in offered}
    if "awsQueryCompatible" in model.metadata and "query" not in models:
        is_sqs = model.service_name == "sqs"
        models["query"] = model_with_query_names(model, description) if is_sqs else model
    return models


@cache
def load_service(name: str) -> WireService:
    """Raises botocore.exceptions.UnknownServiceError. Only botocore's own models count, not those in
    ~/.aws."""
    return WireService(name, _loader().load_service_model(name, "service-2"))


@cache
def _loader() -> Loader:
    """One for all: each looks through every service's directory once."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
