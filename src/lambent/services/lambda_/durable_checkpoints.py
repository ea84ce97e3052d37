"""What the SDK inside of a durable function calls: CheckpointDurableExecution, GetDurableExecutionState."""

from collections.abc import Sequence

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.durable_execution.apply_update import ChainedTarget, Surroundings
from lambent.model.durable_execution.checkpoint import (
    INVALID_TOKEN,
    CheckpointRequest,
    checkpoint,
    require_token,
)
from lambent.model.durable_execution.describe import PAGE_BYTES, describe_operation, state_marker
from lambent.model.durable_execution.operation_update import OperationUpdate
from lambent.model.durable_execution.starting import Start
from lambent.model.durable_execution.transition import Change, State
from lambent.model.durable_execution.values import Operation, error_object
from lambent.model.error import ServiceException
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.services.lambda_.durable_execution_arn import INVALID_MARKER, execution_of, require_arn
from lambent.services.lambda_.function_reference import FunctionReference, parse_reference
from lambent.services.lambda_.paging import page_size
from lambent.services.lambda_.ports import CallerPolicies, DurableExecutions, Invoker
from lambent.services.lambda_.required_permissions import require_permission
from lambent.store.ports.errors import NotFoundError

_PAGE = 100
_PAGE_LARGEST = 1000


class DurableCheckpoints:
    def __init__(
        self, executions: DurableExecutions, invoker: Invoker, policies: CallerPolicies, clock: Clock
    ) -> None:
        self._executions = executions
        self._invoker = invoker
        self._policies = policies
        self._clock = clock

    async def checkpoint(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["DurableExecutionArn"]
        key = execution_of(caller, "CheckpointDurableExecution", arn)
        updates = [OperationUpdate.of(update) for update in parameters.get("Updates", ())]
        around = Surroundings(
            targets={
                update.id: await self._target(caller, update)
                for update in updates
                if update.type == "CHAINED_INVOKE" and update.options
            },
            secrets={update.id: new_uuid() for update in updates if update.type == "CALLBACK"},
        )
        request = CheckpointRequest(
            token=parameters["CheckpointToken"],
            client_token=parameters.get("ClientToken"),
            updates=updates,
            around=around,
        )
        now = self._clock.now()

        def decide(state: State) -> tuple[Change | None, Parameters]:
            require_arn(state, arn)
            change, answer = checkpoint(state, request, now)
            token = {} if answer.token is None else {"CheckpointToken": answer.token}
            return change, token | {"NewExecutionState": _described(answer.operations)}

        try:
            return await self._executions.change(key, decide)
        except (NotFoundError, ResourceNotFoundException) as error:
            raise InvalidParameterValueException(INVALID_TOKEN) from error

    async def get_state(self, caller: Caller, parameters: Parameters) -> Parameters:
        arn = parameters["DurableExecutionArn"]
        key = execution_of(caller, "GetDurableExecutionState", arn)
        items = page_size(parameters, default=_PAGE, largest=_PAGE_LARGEST)
        after = _after(parameters.get("Marker"))

        def read(state: State) -> Parameters:
            require_token(require_arn(state, arn), parameters["CheckpointToken"])
            operations, more = state.page(after, items=items, size=PAGE_BYTES)
            return {
                **_described(operations),
                "NextMarker": state_marker(operations[-1].sequence) if more else "",
            }

        try:
            return await self._executions.view(key, read)
        except (NotFoundError, ResourceNotFoundException) as error:
            raise InvalidParameterValueException(INVALID_TOKEN) from error

    async def _target(self, caller: Caller, update: OperationUpdate) -> ChainedTarget:
        """What a chained invocation will run. One that cannot fails its operation, not the checkpoint.

        Raises InvalidParameterValueException for a function elsewhere."""
        assert update.options is not None
        reference = _nearby(caller, update.options["FunctionName"])
        qualifier, tenant_id = reference.qualifier, update.options.get("TenantId")
        try:
            await require_permission(self._policies, caller, "lambda:InvokeFunction", reference.arn)
            version = await self._invoker.check(reference.function, qualifier, tenant_id)
        except ServiceException as error:
            return ChainedTarget(error=error_object(error.message, error.code))
        if version.durable is None:
            return ChainedTarget(version=version.version)
        start = Start(
            id=new_uuid(),
            name=new_uuid(),
            function=version.function,
            version=version.version,
            invoked_arn=version.function.arn(qualifier, partition_of(caller.region)),
            config=version.durable,
            input=None,
            tenant_id=tenant_id,
        )
        return ChainedTarget(version=version.version, child=start)


def _nearby(caller: Caller, name: str) -> FunctionReference:
    """Raises InvalidParameterValueException."""
    try:
        reference = parse_reference(name, None, caller.account_id, caller.region)
    except ResourceNotFoundException as error:
        raise InvalidParameterValueException(
            "Cannot start a CHAINED_INVOKE on a function in another region."
        ) from error
    if reference.function.account_id != caller.account_id:
        raise InvalidParameterValueException(
            "Cannot start a CHAINED_INVOKE on a function in another account."
        )
    return reference


def _described(operations: Sequence[Operation]) -> Parameters:
    return {"Operations": [describe_operation(operation) for operation in operations]}


def _after(marker: str | None) -> int:
    if not marker:
        return -1
    if not marker.isdecimal() or len(marker) > 9:
        raise InvalidParameterValueException(INVALID_MARKER)
    return int(marker)
