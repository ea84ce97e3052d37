"""The AWS services of one server: Lambda with what it is made of, those around it, and the event source mappings that
tie them together."""

import os
from collections.abc import Callable

from lambent.base.clock import Clock
from lambent.base.tasks import Tasks
from lambent.config import Settings
from lambent.event_sources.reconciler import Reconciler
from lambent.model.code_signature import CodeSigner
from lambent.model.credential import CredentialSource
from lambent.model.log_export import LogExport
from lambent.model.service import Client, Service
from lambent.runtimes.registry import RuntimeRegistry
from lambent.sandbox.port import SandboxBackend
from lambent.server import adapters
from lambent.server.code_store import CodeStoreClient
from lambent.server.environments import Environments
from lambent.server.event_sources import Runners
from lambent.server.function_url_names import HOSTS, FunctionUrlNames, HostsFile
from lambent.server.identity import Identity
from lambent.server.invocation import Invocation
from lambent.server.keys import MasterKey
from lambent.server.node import ThisNode
from lambent.server.part import Core
from lambent.server.parts import PARTS
from lambent.server.parts.events import RETRY_SHARE
from lambent.server.parts.signer import CODE_SIGNATURES
from lambent.server.second_look import with_second_look
from lambent.server.shared_secrets import SharedSecrets
from lambent.server.stores import Stores
from lambent.services import iam, lambda_, logs, sts
from lambent.services.logs.exports.tasks import ExportTasks
from lambent.services.logs.subscriptions.courier import LogCourier
from lambent.store.sql.code_signing_configs import SqlCodeSigningConfigStore
from lambent.store.sql.function_policies import SqlFunctionPolicyStore
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.targets.worker import DeliveryWorker


class Services:
    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        identity: Identity,
        environments: Environments,
        invocation: Invocation,
        node: ThisNode,
        *,
        backend: SandboxBackend,
        registry: RuntimeRegistry,
        credentials: CredentialSource,
        master_key: MasterKey,
        secrets: SharedSecrets,
        clock: Clock,
        tasks: Tasks,
        endpoint: Callable[[], str],
    ) -> None:
        authorizer, client = identity.authorizer, identity.client
        core = Core(
            settings=settings,
            node_id=node.membership.me.id,
            clock=clock,
            data_dir=settings.data_dir,
            shared_dir=settings.shared_dir or settings.data_dir,
            database=stores.database,
            client=client,
            pass_role=adapters.PassedRoles(authorizer),
            roles=identity.role_callers,
            metrics=stores.metrics,
            credentials=credentials,
            secret=master_key.derive,
            shared_secret=secrets.get,
        )
        self.parts = [make(core) for make in PARTS]
        runners = Runners(core, stores.directory, invocation.invoker.invoke)
        self.mappings = Reconciler(stores.mappings, runners, clock, node.mappings)
        domain = settings.function_url_domain
        self.function_url_names = FunctionUrlNames(
            stores.function_urls, domain, HostsFile(HOSTS, os.getpid())
        )
        self.lambda_ = lambda_.service(
            functions=stores.directory,
            mappings=stores.mappings,
            mapping_changed=self.mappings.wake,
            function_policies=SqlFunctionPolicyStore(stores.database),
            function_urls=stores.function_urls,
            layers=stores.layers,
            concurrency=stores.concurrency,
            event_invoke_configs=stores.event_configs,
            code_signing_configs=SqlCodeSigningConfigStore(stores.database),
            artifacts=stores.artifacts,
            images=environments.images,
            image_sources=environments.image_sources,
            compiler=adapters.Compiler(registry, environments.blanks, backend, tasks),
            take_snapshot=adapters.SnapshotTaker(environments.snapshots, environments.make_template),
            runtimes=adapters.Runtimes(
                registry, clock, refuse_deprecated=settings.deprecated_runtimes == "refuse"
            ),
            roles=identity.role_checker,
            role_callers=identity.role_callers,
            policies=authorizer,
            authorizer=authorizer,
            invoker=invocation.invoker,
            client=client,
            code_client=_code_client(settings, client),
            metrics=stores.metrics,
            signatures=CodeSigner(master_key.derive(CODE_SIGNATURES)),
            allotments=invocation.allotments,
            durable_executions=invocation.durable,
            durable_execution_store=stores.durable,
            clock=clock,
            download_secret=master_key.derive("code downloads"),
            function_url_domain=domain,
            function_url_permission_alone=settings.dev,
            endpoint=endpoint,
            function_urls_changed=self.function_url_names.refresh,
            settle_seconds=settings.state_transition_seconds,
            account_concurrency=settings.account_concurrency,
        )
        self.log_courier = DeliveryWorker(
            "logs",
            stores.target_deliveries,
            LogCourier(client),
            clock,
            base_seconds=settings.retry_base_seconds / RETRY_SHARE,
            owner=node.membership.me.id,
        )
        stores.log_forwarding.wake = self.log_courier.wake
        self.log_exports = ExportTasks(
            SqlNamedRecords(stores.database, "log export", LogExport),
            stores.logs,
            client,
            clock,
            pending_seconds=settings.state_transition_seconds,
        )
        self.all: list[Service] = [
            self.lambda_.service,
            logs.service(
                stores.logs,
                clock,
                stores.feed,
                stores.metric_filters,
                stores.subscriptions,
                stores.log_policies,
                stores.log_queries,
                stores.log_query_definitions,
                self.log_exports,
                stores.log_delivery_destinations,
                client,
            ),
            iam.service(
                stores.roles,
                stores.people,
                clock,
                authorizer,
                identity.users,
                identity.access_keys,
                identity.key_uses,
            ),
            sts.service(
                stores.roles, clock, identity.sessions, authorizer, credentials, stores.people.providers
            ),
            *(
                with_second_look(part.service, node) if part.reload is not None else part.service
                for part in self.parts
            ),
        ]
        client.offer(self.all)


def _code_client(settings: Settings, client: Client) -> Client:
    """Where code is read from."""
    if settings.s3_endpoint is None:
        return client
    return CodeStoreClient(client, settings.s3_endpoint, settings.s3_credentials_file, settings.region)
