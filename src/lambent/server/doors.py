"""Where requests come in: from outside, and from inside of environments; and which of them are for no AWS service."""

from lambent.api.chain import Gateway
from lambent.api.dev_credentials import DevCredentials
from lambent.base.clock import Clock
from lambent.config import Settings
from lambent.model.credential import CredentialSource
from lambent.server import adapters
from lambent.server.doorway import Doorway, without_api
from lambent.server.environments import Environments
from lambent.server.identity import Identity
from lambent.server.node import ThisNode
from lambent.server.part import Door
from lambent.server.queue_depths import QueueDepths
from lambent.server.scraping import Scraping, is_scrape
from lambent.server.services import Services
from lambent.server.status import Status, is_status
from lambent.server.stores import Stores
from lambent.services.lambda_ import code_download
from lambent.services.lambda_.function_urls.addresses import is_function_url
from lambent.store.sql.quotas import SqlQuotaStore
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore


class Doors:
    """`inside` is opened here, too: environments have it before there is anything behind it."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        identity: Identity,
        environments: Environments,
        services: Services,
        node: ThisNode,
        *,
        credentials: CredentialSource,
        inside: Doorway,
        clock: Clock,
    ) -> None:
        self._services = services
        self._clock = clock
        queues = QueueDepths(stores.events, SqlTargetDeliveryStore(stores.database), clock.now)
        self.status = Status(
            node.membership,
            node.store,
            stores.database,
            queues,
            SqlQuotaStore(stores.database),
            environments.pools.counts,
            clock,
        )
        self.scraping = Scraping(stores.metrics.totals, environments.pools, queues, clock)
        self.outside = Doorway()
        downloads = Door(
            opens=lambda request: request.path.startswith(code_download.PATH),
            handler=services.lambda_.downloads.download,
        )
        doors = [downloads, *(door for part in services.parts for door in part.doors)]
        dressers = [part.dress for part in services.parts if part.dress is not None]
        of_this_node = [
            Door(opens=is_scrape, handler=self.scraping.answer),
            Door(opens=is_status, handler=self.status.answer),
        ]
        if "api" in settings.roles:
            callers = DevCredentials(credentials) if settings.dev else credentials
            self.outside.open(
                Gateway(services.all, callers, identity.authorizer, clock).handle,
                [*doors, *of_this_node, self._function_urls(callers)],
                dressers,
            )
        else:
            self.outside.open(without_api, of_this_node, [])
        # Functions sign as their role, also where --dev lets everybody else in unsigned.
        inside.open(
            Gateway(services.all, credentials, identity.authorizer, clock).handle,
            [*doors, self._function_urls(credentials)],
            dressers,
        )

    def _function_urls(self, credentials: CredentialSource) -> Door:
        authenticate = adapters.FunctionUrlCallers(credentials, self._clock)
        door = self._services.lambda_.function_url_door(authenticate=authenticate)
        return Door(opens=is_function_url, handler=door.handle, for_signed=True)
