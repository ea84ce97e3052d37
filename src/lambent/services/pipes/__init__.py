"""Amazon EventBridge Pipes: what is wanted of pipes. Those that are at work are lambent.event_sources.pipes.

Source: the pipes service model and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html
"""

from collections.abc import Callable
from functools import wraps

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters, PassRole
from lambent.model.pipe import Pipe
from lambent.model.service import Operation, Service
from lambent.services.pipes.errors import InternalException
from lambent.services.pipes.pipes import Pipes
from lambent.services.pipes.resource_arn import resource_arn
from lambent.services.pipes.tags import Tags
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.named_records import NamedRecords


def service(
    pipes: NamedRecords[Pipe],
    *,
    pass_role: PassRole,
    clock: Clock,
    settle_seconds: float,
    wake: Callable[[], None],
) -> Service:
    """`settle_seconds` is how long a change shows as going on, `wake` is called when there is one."""
    operated = Pipes(pipes, pass_role, clock, settle_seconds, wake)
    operations = {**operated.operations(), **Tags(operated).operations()}
    return Service(
        name="pipes",
        operations={name: _with_full_store(operation) for name, operation in operations.items()},
        resource_arn=resource_arn,
    )


def _with_full_store(operation: Operation) -> Operation:
    """Says a full disk in a way that the service model knows."""

    @wraps(operation)
    async def guarded(caller: Caller, parameters: Parameters) -> Parameters:
        try:
            return await operation(caller, parameters)
        except StoreFullError as error:
            raise InternalException("Service encountered unexpected problem. Please try again.") from error

    return guarded
