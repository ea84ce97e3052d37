"""What is refused here may be right by what another node has just written: one look at that, and one more try.

For services that answer from memory. A refused operation has changed nothing, so it can be run again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Operation, Service
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError

_REFUSALS = (ServiceException, AlreadyExistsError, NotFoundError, StaleRevisionError)

Look = Callable[[], Awaitable[bool]]
"""Whether others have written something that was not known here. Costs nothing where there are no others."""


def with_second_look(service: Service, look: Look) -> Service:
    operations = {name: _looking(operation, look) for name, operation in service.operations.items()}
    return replace(service, operations=operations)


def _looking(operation: Operation, look: Look) -> Operation:
    @wraps(operation)
    async def looking(caller: Caller, parameters: Parameters) -> Parameters:
        try:
            return await operation(caller, parameters)
        except _REFUSALS:
            if not await look():
                raise
        return await operation(caller, parameters)

    return looking
