"""What is refused here may be right by what another node has just written: one look at that, and one more try.

For services that answer from memory. A refused operation has changed nothing, so it can be run again.
"""

from dataclasses import replace
from functools import wraps
from typing import Protocol

from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.model.service import Operation, Service
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError

_REFUSALS = (ServiceException, AlreadyExistsError, NotFoundError, StaleRevisionError)


class Others(Protocol):
    """What other nodes have written, as far as this one knows of it."""

    @property
    def seen(self) -> int: ...

    async def look(self, since: int) -> bool:
        """Whether there is something that was not known at the mark `since`; free where there are no others."""
        ...


def with_second_look(service: Service, others: Others) -> Service:
    operations = {name: _looking(operation, others) for name, operation in service.operations.items()}
    return replace(service, operations=operations)


def _looking(operation: Operation, others: Others) -> Operation:
    @wraps(operation)
    async def looking(caller: Caller, parameters: Parameters) -> Parameters:
        since = others.seen
        try:
            return await operation(caller, parameters)
        except _REFUSALS:
            if not await others.look(since):
                raise
        return await operation(caller, parameters)

    return looking
