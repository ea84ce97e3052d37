"""What a server has to do with the other nodes of its database: what it forgets when they write, what it wakes,
and what one of them does for all."""

from collections.abc import Callable, Coroutine
from typing import Any

from lambent.model.function import FunctionId
from lambent.server.identity import Identity
from lambent.server.invocation import Invocation
from lambent.server.node import ThisNode
from lambent.server.services import Services
from lambent.server.status import Status
from lambent.server.stores import Stores
from lambent.services.logs.retention import Expiry


class Cooperation:
    def __init__(
        self, stores: Stores, identity: Identity, invocation: Invocation, services: Services
    ) -> None:
        self._stores = stores
        self._identity = identity
        self._invocation = invocation
        self._services = services
        self._lambda = services.lambda_

    def begin(self, node: ThisNode, status: Status, expiry: Expiry) -> None:
        invocation, mappings = self._invocation, self._services.mappings
        if invocation.quotas is not None:
            status.uses = invocation.quotas.uses
        node.membership.state = status.of_this_node
        node.membership.lost.append(invocation.event_worker.node_lost)
        node.membership.listeners.append(mappings.review)
        node.membership.lapsed.append(mappings.lapsed)
        node.remembers(
            {
                "function": self._function_changed,
                "account": self._account_changed,
                "iam user": self._people_changed,
                "iam group": self._people_changed,
                "metric filter": lambda key: self._stores.metric_filters.open(),
                "subscription filter": lambda key: self._stores.subscriptions.open(),
                "mapping": mappings.changed,
            },
            self._remember_nothing,
        )
        node.waits(
            (
                invocation.event_worker.wake,
                invocation.durable.look_again,
                self._services.log_courier.wake,
            )
        )
        once: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "run durable executions": invocation.durable_worker.lead,
            "expire logs": expiry.run,
            "forget log queries": self._stores.log_queries.forget,
            "maintain the tables": self._stores.maintain,
            "settle what nodes left unsettled": self._lambda.activation.adopt,
        }
        for part in self._services.parts:
            node.remembers(part.changed, part.reload)
            node.waits(part.wakes)
            once.update(part.once)
        node.start(once)

    async def _function_changed(self, key: str) -> None:
        function = FunctionId(*key.split("/", 2))
        self._stores.directory.forget(function)
        await self._lambda.function_policies.open()
        await self._invocation.allotments.refresh(function)
        await self._services.function_url_names.refresh()

    async def _account_changed(self, account_id: str) -> None:
        self._identity.authorizer.forget(account_id)

    async def _people_changed(self, key: str) -> None:
        self._identity.authorizer.forget(key.partition("/")[0])
        await self._identity.users.open()

    async def _remember_nothing(self) -> None:
        self._stores.directory.forget_all()
        self._stores.event_configs.forget_all()
        self._identity.authorizer.forget_all()
        await self._identity.users.open()
        self._lambda.function_policies.forget_all()
        self._lambda.function_urls.forget_all()
        await self._lambda.function_policies.open()
        await self._invocation.allotments.open()
        await self._stores.metric_filters.open()
        await self._stores.subscriptions.open()
        await self._services.function_url_names.refresh()
        await self._services.mappings.open()
