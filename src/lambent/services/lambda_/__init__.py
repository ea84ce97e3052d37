"""AWS Lambda's control plane: functions, versions, aliases, layers; and Invoke, which it hands to the data plane.

Writes what is wanted into the stores; `activation` makes it real. Knows no process, sandbox or pool.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from lambent.base.clock import Clock, MillisecondClock
from lambent.encryption.filter_criteria import SealedFilterCriteria
from lambent.model.caller import RoleCallers
from lambent.model.metric import Metrics
from lambent.model.service import Client, Service
from lambent.services.lambda_.account import Account
from lambent.services.lambda_.activation import Activation
from lambent.services.lambda_.aliases import Aliases
from lambent.services.lambda_.capacity_providers import CapacityProviders
from lambent.services.lambda_.code import Packages
from lambent.services.lambda_.code_download import CodeDownloads
from lambent.services.lambda_.code_signing import CodeSigning
from lambent.services.lambda_.code_source import CodeSource
from lambent.services.lambda_.code_trust import CodeTrust, SignatureReader
from lambent.services.lambda_.condition_keys import condition_keys
from lambent.services.lambda_.delivery_targets import DeliveryTargets
from lambent.services.lambda_.durable_callbacks import DurableCallbacks
from lambent.services.lambda_.durable_checkpoints import DurableCheckpoints
from lambent.services.lambda_.durable_executions import DurableExecutionOperations
from lambent.services.lambda_.event_invoke_configs import EventInvokeConfigs
from lambent.services.lambda_.event_source_access import EventSourceAccess
from lambent.services.lambda_.event_source_mappings import EventSourceMappings, MappingChanged
from lambent.services.lambda_.execution_role import ExecutionRoles
from lambent.services.lambda_.filter_criteria import FilterCriteria
from lambent.services.lambda_.function_code import FunctionCode
from lambent.services.lambda_.function_concurrency import FunctionConcurrency
from lambent.services.lambda_.function_images import NO_IMAGE_SOURCES, FunctionImages, ImageSources
from lambent.services.lambda_.function_layers import FunctionLayers
from lambent.services.lambda_.function_policies import FunctionPolicies
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_urls.access import Access, Authorizer
from lambent.services.lambda_.function_urls.addresses import Addresses, nothing
from lambent.services.lambda_.function_urls.configs import FunctionUrlConfigs
from lambent.services.lambda_.function_urls.door import FunctionUrlDoor
from lambent.services.lambda_.function_variables import FunctionVariables
from lambent.services.lambda_.functions import Functions
from lambent.services.lambda_.invoke import Invoke
from lambent.services.lambda_.invoke_with_response_stream import InvokeWithResponseStream
from lambent.services.lambda_.layer_permissions import LayerPermissions
from lambent.services.lambda_.layers import Layers
from lambent.services.lambda_.permissions import Permissions
from lambent.services.lambda_.policy_holders import PolicyHolders
from lambent.services.lambda_.ports import (
    Allotments,
    Artifacts,
    CallerPolicies,
    Compiler,
    DurableExecutions,
    Images,
    Invoker,
    RoleChecker,
    Runtimes,
)
from lambent.services.lambda_.preparation import Preparation, TakeSnapshot
from lambent.services.lambda_.provisioned_concurrency import ProvisionedConcurrencyConfigs
from lambent.services.lambda_.recursion import Recursion
from lambent.services.lambda_.resource import resource_arn
from lambent.services.lambda_.resource_policies import ResourcePolicies
from lambent.services.lambda_.runtime_management import RuntimeManagement
from lambent.services.lambda_.scaling import Scaling
from lambent.services.lambda_.tags import FunctionTags, Tags
from lambent.services.lambda_.versions import Versions
from lambent.store.ports.code_signing_configs import CodeSigningConfigStore
from lambent.store.ports.concurrency import ConcurrencyStore
from lambent.store.ports.durable_executions import DurableExecutionStore
from lambent.store.ports.event_invoke_configs import EventInvokeConfigStore
from lambent.store.ports.event_source_mappings import EventSourceMappingStore
from lambent.store.ports.function_policies import FunctionPolicyStore
from lambent.store.ports.function_urls import FunctionUrlStore
from lambent.store.ports.functions import FunctionStore
from lambent.store.ports.layers import LayerStore

CODE_STORAGE_MOST = 80_530_636_800
"""75 GB: AWS's default quota of code storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaService:
    """`function_policies` is opened by the server; it and `function_urls` are told of changes of functions.
    `activation` is opened and closed. `downloads.download` answers the paths below `code_download.PATH`,
    `function_url_door(authenticate=...)` what `function_urls.addresses.is_function_url` is true of."""

    service: Service
    function_policies: FunctionPolicies
    function_urls: Addresses
    function_url_door: Callable[..., FunctionUrlDoor]
    activation: Activation
    downloads: CodeDownloads


def service(
    *,
    functions: FunctionStore,
    function_policies: FunctionPolicyStore,
    function_urls: FunctionUrlStore,
    layers: LayerStore,
    concurrency: ConcurrencyStore,
    event_invoke_configs: EventInvokeConfigStore,
    code_signing_configs: CodeSigningConfigStore,
    mappings: EventSourceMappingStore,
    mapping_changed: MappingChanged,
    artifacts: Artifacts,
    images: Images,
    compiler: Compiler,
    take_snapshot: TakeSnapshot,
    runtimes: Runtimes,
    roles: RoleChecker,
    role_callers: RoleCallers,
    policies: CallerPolicies,
    authorizer: Authorizer,
    invoker: Invoker,
    client: Client,
    metrics: Metrics,
    signatures: SignatureReader,
    allotments: Allotments,
    durable_executions: DurableExecutions,
    durable_execution_store: DurableExecutionStore,
    clock: Clock,
    download_secret: bytes,
    function_url_domain: str = "localhost",
    function_url_permission_alone: bool = False,
    endpoint: Callable[[], str] = str,
    function_urls_changed: Callable[[], Awaitable[None]] = nothing,
    settle_seconds: float = 1.0,
    account_concurrency: int = 1000,
    code_storage_most: int = CODE_STORAGE_MOST,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    code_client: Client | None = None,
    image_sources: ImageSources = NO_IMAGE_SOURCES,
) -> LambdaService:
    records = FunctionRecords(functions)
    activation = Activation(
        functions,
        records,
        Preparation(artifacts, images, compiler, runtimes, take_snapshot),
        clock,
        settle_seconds=settle_seconds,
        sleep=sleep,
    )
    downloads = CodeDownloads(artifacts, clock, download_secret)
    packages = Packages(
        CodeSource(code_client or client), signatures, artifacts, functions, layers, code_storage_most
    )
    signing = CodeSigning(code_signing_configs, records, clock)
    trust = CodeTrust(client, metrics, clock, signatures.certificate_hash)
    targets = DeliveryTargets(functions, role_callers, policies)
    variables = FunctionVariables(client)
    function = Functions(
        store=functions,
        records=records,
        code=FunctionCode(packages, FunctionImages(client, images, image_sources, endpoint), downloads),
        layers=FunctionLayers(layers, policies),
        variables=variables,
        signing=signing,
        trust=trust,
        runtimes=runtimes,
        roles=ExecutionRoles(roles, policies),
        activation=activation,
        targets=targets,
        concurrency=concurrency,
        clock=clock,
    )
    invoke = Invoke(invoker)
    provisioned = ProvisionedConcurrencyConfigs(
        concurrency, functions, records, allotments, clock, account_concurrency
    )
    recursion = Recursion(functions, records)
    scaling = Scaling(records)
    version = Versions(functions, records, variables, activation)
    alias = Aliases(functions, records)
    runtime = RuntimeManagement(functions, records, runtimes)
    layer = Layers(layers, packages, downloads, clock)
    layer_permission = LayerPermissions(layers)
    attached = FunctionPolicies(function_policies)
    holders = PolicyHolders(functions, records, attached)
    permission = Permissions(holders)
    resource_policy = ResourcePolicies(holders)
    addresses = Addresses(function_urls, function_url_domain, endpoint, function_urls_changed)
    url_config = FunctionUrlConfigs(function_urls, functions, addresses, clock)
    mapping = EventSourceMappings(
        mappings,
        records,
        EventSourceAccess(client, role_callers),
        FilterCriteria(SealedFilterCriteria(client, clock)),
        mapping_changed,
        clock,
        settle_seconds=settle_seconds,
    )
    capacity_provider = CapacityProviders()
    tag = Tags(
        {
            "function": FunctionTags(functions, records),
            "code-signing-config": signing,
            "event-source-mapping": mapping,
            "capacity-provider": capacity_provider,
        }
    )
    event_config = EventInvokeConfigs(event_invoke_configs, functions, records, targets, clock)
    reserved = FunctionConcurrency(concurrency, records, allotments, account_concurrency)
    execution_clock = MillisecondClock(clock)
    durable = DurableExecutionOperations(
        durable_executions, durable_execution_store, records, execution_clock
    )
    durable_checkpoint = DurableCheckpoints(durable_executions, invoker, policies, execution_clock)
    durable_callback = DurableCallbacks(durable_executions, execution_clock)
    operations = {
        "Invoke": invoke.invoke,
        "InvokeAsync": invoke.invoke_async,
        "InvokeWithResponseStream": InvokeWithResponseStream(invoker).invoke,
        "CreateFunction": function.create,
        "GetFunction": function.get,
        "GetFunctionConfiguration": function.get_configuration,
        "UpdateFunctionCode": function.update_code,
        "UpdateFunctionConfiguration": function.update_configuration,
        "DeleteFunction": function.delete,
        "ListFunctions": function.list,
        "PublishVersion": version.publish,
        "ListVersionsByFunction": version.list,
        "CreateAlias": alias.create,
        "GetAlias": alias.get,
        "UpdateAlias": alias.update,
        "DeleteAlias": alias.delete,
        "ListAliases": alias.list,
        "PublishLayerVersion": layer.publish,
        "GetLayerVersion": layer.get,
        "GetLayerVersionByArn": layer.get_by_arn,
        "ListLayers": layer.list,
        "ListLayerVersions": layer.list_versions,
        "DeleteLayerVersion": layer.delete,
        "AddLayerVersionPermission": layer_permission.add,
        "RemoveLayerVersionPermission": layer_permission.remove,
        "GetLayerVersionPolicy": layer_permission.get_policy,
        "AddPermission": permission.add,
        "RemovePermission": permission.remove,
        "GetPolicy": permission.get_policy,
        "PutResourcePolicy": resource_policy.put,
        "GetResourcePolicy": resource_policy.get,
        "DeleteResourcePolicy": resource_policy.delete,
        "CreateFunctionUrlConfig": url_config.create,
        "GetFunctionUrlConfig": url_config.get,
        "UpdateFunctionUrlConfig": url_config.update,
        "DeleteFunctionUrlConfig": url_config.delete,
        "ListFunctionUrlConfigs": url_config.list,
        "CreateEventSourceMapping": mapping.create,
        "GetEventSourceMapping": mapping.get,
        "UpdateEventSourceMapping": mapping.update,
        "DeleteEventSourceMapping": mapping.delete,
        "ListEventSourceMappings": mapping.list,
        "TagResource": tag.tag,
        "UntagResource": tag.untag,
        "ListTags": tag.list,
        "PutRuntimeManagementConfig": runtime.put,
        "GetRuntimeManagementConfig": runtime.get,
        "CreateCodeSigningConfig": signing.create,
        "GetCodeSigningConfig": signing.get,
        "UpdateCodeSigningConfig": signing.update,
        "DeleteCodeSigningConfig": signing.delete,
        "ListCodeSigningConfigs": signing.list,
        "PutFunctionCodeSigningConfig": signing.put_function,
        "GetFunctionCodeSigningConfig": signing.get_function,
        "DeleteFunctionCodeSigningConfig": signing.delete_function,
        "ListFunctionsByCodeSigningConfig": signing.list_functions,
        "PutFunctionConcurrency": reserved.put,
        "GetFunctionConcurrency": reserved.get,
        "DeleteFunctionConcurrency": reserved.delete,
        "PutProvisionedConcurrencyConfig": provisioned.put,
        "GetProvisionedConcurrencyConfig": provisioned.get,
        "DeleteProvisionedConcurrencyConfig": provisioned.delete,
        "ListProvisionedConcurrencyConfigs": provisioned.list,
        "PutFunctionRecursionConfig": recursion.put,
        "GetFunctionRecursionConfig": recursion.get,
        "PutFunctionScalingConfig": scaling.put,
        "GetFunctionScalingConfig": scaling.get,
        "PutFunctionEventInvokeConfig": event_config.put,
        "UpdateFunctionEventInvokeConfig": event_config.update,
        "GetFunctionEventInvokeConfig": event_config.get,
        "DeleteFunctionEventInvokeConfig": event_config.delete,
        "ListFunctionEventInvokeConfigs": event_config.list,
        "GetDurableExecution": durable.get,
        "GetDurableExecutionHistory": durable.history,
        "ListDurableExecutionsByFunction": durable.list,
        "StopDurableExecution": durable.stop,
        "PauseDurableExecution": durable.pause,
        "ResumeDurableExecution": durable.resume,
        "DeleteDurableExecution": durable.delete,
        "CheckpointDurableExecution": durable_checkpoint.checkpoint,
        "GetDurableExecutionState": durable_checkpoint.get_state,
        "SendDurableExecutionCallbackSuccess": durable_callback.succeed,
        "SendDurableExecutionCallbackFailure": durable_callback.fail,
        "SendDurableExecutionCallbackHeartbeat": durable_callback.heartbeat,
        **capacity_provider.operations(),
        "GetAccountSettings": Account(packages, concurrency, account_concurrency).get_settings,
    }
    return LambdaService(
        service=Service(
            name="lambda",
            operations=operations,
            resource_arn=resource_arn,
            resource_policy=attached.attached,
            condition_keys=condition_keys,
            open_to_root=attached.open_to_root,
        ),
        function_policies=attached,
        function_urls=addresses,
        function_url_door=partial(
            FunctionUrlDoor,
            addresses=addresses,
            access=Access(authorizer, attached, url_alone=function_url_permission_alone),
            invoker=invoker,
            metrics=metrics,
            clock=clock,
        ),
        activation=activation,
        downloads=downloads,
    )
