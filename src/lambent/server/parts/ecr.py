"""ECR: its layers are files below the data directory, all else is in the database."""

import asyncio

from lambent.api.caller import caller_of
from lambent.api.dev_credentials import DevCredentials
from lambent.base.arn import partition_of
from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.model.repository import ImageTag, RegistryImage, RegistryLayer, Repository
from lambent.server.part import Core, Door, Part
from lambent.services.ecr import EcrStores, ecr
from lambent.services.ecr.downloads import PATH
from lambent.store.layer_files import LayerFiles
from lambent.store.sql.named_records import SqlNamedRecords

DIRECTORY = "ecr"


def part(core: Core) -> Part:
    files = LayerFiles(core.shared_dir / DIRECTORY, core.node_id)
    made = ecr(
        EcrStores(
            repositories=SqlNamedRecords(core.database, "ecr repository", Repository),
            images=SqlNamedRecords(core.database, "ecr image", RegistryImage),
            tags=SqlNamedRecords(core.database, "ecr tag", ImageTag),
            layers=SqlNamedRecords(core.database, "ecr layer", RegistryLayer),
        ),
        files,
        client=core.client,
        metrics=core.metrics,
        clock=core.clock,
        secret=core.secret("ecr"),
        uri=_aws_uri if core.settings.ecr_uris == "aws" else _uri,
        stranger=_Strangers(DevCredentials(core.credentials) if core.settings.dev else None),
    )

    async def open_files() -> None:
        await asyncio.to_thread(files.open)

    return Part(
        service=made.service,
        open=open_files,
        behind=made.behind,
        once=made.once,
        doors=(
            Door(opens=made.door.opens, handler=made.door.handle),
            Door(opens=lambda request: request.path.startswith(PATH), handler=made.downloads.download),
        ),
    )


def _uri(repository: Repository, caller: Caller) -> str:
    """At the address by which the caller reached us: what docker and its like can push to as it is."""
    host = caller.endpoint_url.partition("://")[2] or _aws_host(repository)
    return f"{host}/{repository.name}"


def _aws_uri(repository: Repository, caller: Caller) -> str:
    return f"{_aws_host(repository)}/{repository.name}"


def _aws_host(repository: Repository) -> str:
    suffix = ".cn" if partition_of(repository.region) == "aws-cn" else ""
    return f"{repository.account_id}.dkr.ecr.{repository.region}.amazonaws.com{suffix}"


class _Strangers:
    """services.ecr.door.door.Stranger: with --dev, who asks without a password is root, as everywhere."""

    def __init__(self, credentials: DevCredentials | None) -> None:
        self._credentials = credentials

    async def __call__(self, request: Request) -> Caller | None:
        if self._credentials is None:
            return None
        return caller_of(await self._credentials.verify(request), request, "")
