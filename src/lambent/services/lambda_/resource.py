"""What each operation acts on, for authorization.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""

from lambent.base.arn import Arn, partition_of
from lambent.model.caller import Caller, Parameters
from lambent.model.event_source_mapping import mapping_arn
from lambent.services.lambda_.capacity_providers import capacity_provider_arn
from lambent.services.lambda_.durable_execution_arn import parse_callback_id
from lambent.services.lambda_.function_reference import parse_reference
from lambent.services.lambda_.layer_reference import parse_layer, parse_layer_version_arn

_OF_NO_RESOURCE = frozenset(
    {
        "CreateCodeSigningConfig",
        "CreateEventSourceMapping",
        "GetAccountSettings",
        "ListCapacityProviders",
        "ListCodeSigningConfigs",
        "ListEventSourceMappings",
        "ListFunctions",
        "ListLayerVersions",
        "ListLayers",
    }
)
_OF_QUALIFIED = frozenset(
    {
        "DeleteFunction",
        "GetFunction",
        "GetFunctionConfiguration",
        "Invoke",
        "InvokeAsync",
        "InvokeWithResponseStream",
        "CreateFunctionUrlConfig",
        "GetFunctionUrlConfig",
        "UpdateFunctionUrlConfig",
        "DeleteFunctionUrlConfig",
    }
)
_ALL_IT_ACTS_ON = ("CodeSigningConfigArn", "DurableExecutionArn")


def resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    """The ARN of the function (qualified where the operation takes a qualifier), layer, layer version or mapping."""
    if operation in _OF_NO_RESOURCE:
        return "*"
    if "FunctionName" in parameters and "UUID" not in parameters:
        return _function(operation, caller, parameters)
    if "CallbackId" in parameters:  # it belongs to the execution that waits for it
        return parse_callback_id(parameters["CallbackId"]).execution_arn
    if "LayerName" in parameters:
        layer = parse_layer(caller, parameters["LayerName"])
        return layer.arn(parameters.get("VersionNumber"), partition_of(layer.region))
    if "Arn" in parameters:
        layer, number = parse_layer_version_arn(parameters["Arn"])
        return layer.arn(number, partition_of(layer.region))
    return _named(caller, parameters)


def _function(operation: str, caller: Caller, parameters: Parameters) -> str | tuple[str, ...]:
    reference = parse_reference(
        parameters["FunctionName"], parameters.get("Qualifier"), caller.account_id, caller.region
    )
    if operation in _OF_QUALIFIED:
        return reference.arn
    function_arn = reference.function.arn(partition=partition_of(caller.region))
    if operation == "PutFunctionCodeSigningConfig":
        return function_arn, parameters["CodeSigningConfigArn"]
    return function_arn


def _named(caller: Caller, parameters: Parameters) -> str:
    """As the operation will read it, however it is written: what differs only in form must not differ in rights."""
    if "CapacityProviderName" in parameters:
        return capacity_provider_arn(caller, parameters["CapacityProviderName"])
    for member in _ALL_IT_ACTS_ON:
        if member in parameters:
            return str(parameters[member])
    arn = parameters.get("ResourceArn") or parameters.get("Resource")
    if not arn:
        return mapping_arn(caller.account_id, caller.region, parameters["UUID"])
    parsed = Arn.parse(arn)
    if parsed.resource.startswith("function:"):
        return parse_reference(arn, None, caller.account_id, caller.region).arn
    return str(parsed)
