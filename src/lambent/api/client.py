"""The public API, called from inside the process."""

from collections.abc import Sequence
from dataclasses import replace

from lambent.api.authorize import Authorizer, require_permission
from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.error import UnknownOperationException
from lambent.model.service import Service
from lambent.wire.service import load_service


class InProcessClient:
    """model.service.Client: the operation runs as if `caller` had asked for it over HTTP, without the HTTP.

    Services are given their client before there are services to call: `offer` says later which there are. The
    caller's parameters are taken as they are; that they satisfy the model is the calling service's concern."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer
        self._services: dict[str, Service] = {}
        self._signing_names: dict[str, str] = {}

    def offer(self, services: Sequence[Service]) -> None:
        for service in services:
            self._services[service.name] = service
            self._signing_names[service.name] = load_service(service.name).signing_name

    def offers(self, service: str, operation: str) -> bool:
        offered = self._services.get(service)
        return offered is not None and operation in offered.operations

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        """Raises what the operation raises; UnknownOperationException for what is not offered."""
        offered = self._services.get(service)
        if offered is None:
            raise UnknownOperationException(f"Lambent does not offer the service {service}.")
        run = offered.operations.get(operation)
        if run is None:
            raise UnknownOperationException(f"Lambent does not offer the operation {operation} of {service}.")
        await require_permission(
            self._authorizer, caller, offered, self._signing_names[service], operation, parameters
        )
        if not caller.request_id:  # every request has an id of its own, this one too
            caller = replace(caller, request_id=new_uuid())
        return await run(caller, parameters)
