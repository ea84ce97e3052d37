"""How a durable execution invokes a function that is not durable: as anybody would, with the rights of its own role."""

from lambent.invoke.directory import Directory
from lambent.invoke.durable_worker import function_error
from lambent.model.caller import Parameters, RoleCallers
from lambent.model.durable_execution.closing import ChainedOutcome
from lambent.model.durable_execution.operation_update import PAYLOAD_LARGEST
from lambent.model.durable_execution.values import DurableExecution, Operation, error_object
from lambent.model.service import Client


class ChainedInvocations:
    """invoke.durable_worker.ChainedInvoke, over the in-process client."""

    def __init__(self, directory: Directory, roles: RoleCallers, client: Client) -> None:
        self._directory = directory
        self._roles = roles
        self._client = client

    async def __call__(self, execution: DurableExecution, operation: Operation) -> ChainedOutcome:
        """Raises ServiceException."""
        asking = (await self._directory.resolve(execution.function, execution.version)).version
        caller = await self._roles.assume(
            asking.role,
            "lambda.amazonaws.com",
            region=execution.region,
            session_name=execution.function_name,
        )
        if operation.trace_id is not None:
            caller.headers["x-amzn-trace-id"] = operation.trace_id
        payload = b"{}" if operation.input is None else operation.input.encode()
        parameters: Parameters = {"FunctionName": operation.function_name, "Payload": payload}
        if operation.tenant_id is not None:
            parameters["TenantId"] = operation.tenant_id
        return _outcome(await self._client("lambda", "Invoke", caller, parameters))


def _outcome(answer: Parameters) -> ChainedOutcome:
    payload: bytes = answer["Payload"]
    if "FunctionError" in answer:
        return ChainedOutcome(status="FAILED", error=function_error(payload))
    if len(payload) > PAYLOAD_LARGEST:
        return _failed(
            f"CHAINED_INVOKE output payload size must be less than or equal to {PAYLOAD_LARGEST} bytes."
        )
    try:
        return ChainedOutcome(status="SUCCEEDED", result=payload.decode() or None)
    except UnicodeDecodeError:
        return _failed("CHAINED_INVOKE response could not be decoded as UTF-8.")


def _failed(message: str) -> ChainedOutcome:
    return ChainedOutcome(status="FAILED", error=error_object(message))
