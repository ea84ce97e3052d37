"""Where functions run: sandboxes in stock, what is put into them, and the pools of each function."""

from lambent.base.clock import Clock
from lambent.config import Settings
from lambent.environments.blank import Handler
from lambent.environments.blanks import Blanks
from lambent.environments.log_delivery import LogDelivery
from lambent.environments.pool import Lifetimes
from lambent.environments.pools import Pools
from lambent.environments.preparation import Preparation
from lambent.environments.snapshots import Snapshots, Template
from lambent.environments.surroundings import Surroundings
from lambent.environments.templates import make_template
from lambent.environments.zygotes import Zygotes
from lambent.model.function import FunctionVersion
from lambent.runtimes.registry import RuntimeRegistry
from lambent.sandbox.port import SandboxBackend
from lambent.server import adapters
from lambent.server.function_images import PulledImages
from lambent.server.identity import Identity
from lambent.server.image_sources import SkopeoSources
from lambent.server.inside import serve_inside
from lambent.server.isolation import images_refusal
from lambent.server.parts.ecr import DIRECTORY as ECR_DIRECTORY
from lambent.server.stores import Stores
from lambent.store.layer_files import LayerFiles


class Environments:
    """`inside` answers what functions ask of Lambent itself."""

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        identity: Identity,
        backend: SandboxBackend,
        registry: RuntimeRegistry,
        inside: Handler,
        clock: Clock,
        node_id: str,
    ) -> None:
        self.log_delivery = LogDelivery(stores.logs, clock, settings.log_flush_seconds)
        self.image_sources = SkopeoSources(
            settings.image_sources, settings.image_credentials_file, stores.images.temporary
        )
        layers = LayerFiles((settings.shared_dir or settings.data_dir) / ECR_DIRECTORY, node_id)
        self.images = PulledImages(
            stores.images, identity.client, layers, self.image_sources, images_refusal(backend)
        )
        self._preparation = Preparation(stores.artifacts, self.images, registry)
        zygotes = Zygotes(backend, clock.monotonic, most=settings.zygotes)
        self.blanks = Blanks(
            backend, serve_inside, inside, stock=settings.blanks_per_runtime, zygotes=zygotes
        )
        age_most = settings.environment_max_age_seconds
        self.snapshots = Snapshots()
        self._surroundings = surroundings = Surroundings(
            blanks=self.blanks,
            snapshots=self.snapshots,
            make_template=self.make_template,
            # Twice as long as an environment lives, so that they do not run out in the last invocation.
            credentials=adapters.FunctionCredentials(
                identity.role_checker, identity.sessions, int(2 * age_most)
            ),
            logs=self.log_delivery,
            reveal=adapters.EncryptedVariables(identity.client, identity.role_callers),
            clock=clock,
            init_timeout_seconds=settings.init_timeout_seconds,
        )
        lifetimes = Lifetimes(
            freeze_after=settings.freeze_after_seconds,
            idle_expiry=settings.idle_expiry_seconds,
            age_most=age_most,
        )
        self.pools = Pools(self._preparation, surroundings, lifetimes)

    async def make_template(self, version: FunctionVersion) -> Template:
        return await make_template(version, self._preparation, self._surroundings)
