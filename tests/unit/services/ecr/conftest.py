"""ECR on records and layers in memory, asked as the api asks it: authorized, then run; and its door."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from images import Image, tar_of
from memory_records import MemoryDeliveries, MemoryRecords
from noted_metrics import NotedMetrics

from lambent.api.authorize import require_permission
from lambent.base.clock import ManualClock
from lambent.http.message import Request, Response
from lambent.model.caller import Caller, Parameters
from lambent.model.role import Role
from lambent.services.ecr import EcrStores, ecr
from lambent.services.iam import Authorizer
from lambent.store.ports.errors import ContentMissingError

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"


class MemoryContents:
    """Implements LayerContents."""

    def __init__(self) -> None:
        self.incoming: dict[str, bytes] = {}
        self.whole: dict[str, bytes] = {}

    async def begin(self, upload_id: str) -> None:
        self.incoming[upload_id] = b""

    async def append(self, upload_id: str, data: bytes) -> None:
        if upload_id not in self.incoming:
            raise ContentMissingError
        self.incoming[upload_id] += data

    async def finish(self, upload_id: str, digest: str) -> bool:
        data = self.incoming[upload_id]
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            return False
        self.whole[digest] = data
        return True

    async def discard(self, upload_id: str) -> None:
        self.incoming.pop(upload_id, None)

    async def size(self, digest: str) -> int | None:
        return len(self.whole[digest]) if digest in self.whole else None

    async def read(self, digest: str, offset: int, length: int) -> AsyncIterator[bytes]:
        async def pieces() -> AsyncIterator[bytes]:
            yield self.whole[digest][offset : offset + length]

        return pieces()

    async def names(self, *, older_than: float) -> list[str]:
        return list(self.whole)

    async def remove(self, digests: list[str], *, older_than: float) -> None:
        for digest in digests:
            del self.whole[digest]


class Roles:
    """A RoleStore with one role, which has one inline policy."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def get(self, account_id: str, name: str) -> Role | None:
        return self.role if (account_id, name) == (self.role.account_id, self.role.name) else None

    async def get_policy(self, account_id: str, name: str) -> None:
        return None


class Ecr:
    """`caller` asks; `stranger` is who comes through the door without a password."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.contents = MemoryContents()
        self.metrics = NotedMetrics()
        self.events: list[Parameters] = []
        """What EventBridge was told."""
        self.stores = EcrStores(
            **{
                kind: MemoryRecords(MemoryDeliveries())
                for kind in ("repositories", "images", "tags", "layers")
            }
        )
        self.roles = Roles(
            Role(account_id=ACCOUNT, name="worker", id="AROA", trust_policy="{}", created_at=0.0)
        )
        self._authorizer = Authorizer(self.roles, self.clock)
        self.caller = Caller(
            account_id=ACCOUNT,
            region="us-east-1",
            principal_arn=f"arn:aws:iam::{ACCOUNT}:root",
            user_id=ACCOUNT,
            access_key_id="AKIA",
            endpoint_url="http://127.0.0.1:9000",
        )
        self.stranger: Caller | None = None
        self.made = ecr(
            self.stores,
            self.contents,
            client=self,
            metrics=self.metrics,
            clock=self.clock,
            secret=b"secret",
            uri=lambda repository, caller: f"host/{repository.name}",
            stranger=self._stranger,
        )

    async def _stranger(self, request: Request) -> Caller | None:
        return self.stranger

    def offers(self, service: str, operation: str) -> bool:
        return operation in self.made.service.operations

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        if service == "events":
            assert (operation, caller.service) == ("PutEvents", "ecr.amazonaws.com")
            self.events += parameters["Entries"]
            return {}
        await require_permission(self._authorizer, caller, self.made.service, "ecr", operation, parameters)
        return await self.made.service.operations[operation](caller, parameters)

    async def call(self, operation: str, *, by: Caller | None = None, **parameters: Any) -> Parameters:
        return await self("ecr", operation, by or self.caller, parameters)

    def role(self, *allowed: str) -> Caller:
        """A session of a role with a policy that allows these actions."""
        policy = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        self.roles.role = replace(self.roles.role, inline_policies={"p": document} if allowed else {})
        self._authorizer.forget(ACCOUNT)
        return replace(
            self.caller,
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/s",
            user_id="AROA:s",
            access_key_id="ASIA",
            role_arn=ROLE,
        )

    async def push(self, image: Image, repository: str = "app", tag: str | None = "latest") -> str:
        for digest, blob in image.blobs.items():
            await self.upload(blob, digest, repository)
        tagged = {"imageTag": tag} if tag else {}
        put = await self.call(
            "PutImage", repositoryName=repository, imageManifest=image.manifest.decode(), **tagged
        )
        return str(put["image"]["imageId"]["imageDigest"])

    async def upload(self, blob: bytes, digest: str, repository: str = "app") -> None:
        checked = await self.call(
            "BatchCheckLayerAvailability", repositoryName=repository, layerDigests=[digest]
        )
        if checked["layers"][0]["layerAvailability"] == "AVAILABLE":
            return
        upload = (await self.call("InitiateLayerUpload", repositoryName=repository))["uploadId"]
        named = {"repositoryName": repository, "uploadId": upload}
        await self.call(
            "UploadLayerPart", **named, partFirstByte=0, partLastByte=len(blob) - 1, layerPartBlob=blob
        )
        await self.call("CompleteLayerUpload", **named, layerDigests=[digest])

    async def ask(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Response:
        """Through the door."""
        path, _, query = target.partition("?")
        request = Request(
            method=method,
            target=target,
            path=path,
            query=query,
            headers={"host": "127.0.0.1:9000", "content-length": str(len(body)), **(headers or {})},
            body=body,
            peer="127.0.0.1",
        )
        assert self.made.door.opens(request)
        return await self.made.door.handle(request)


@pytest.fixture
async def aws() -> Ecr:
    made = Ecr()
    await made.call("CreateRepository", repositoryName="app")
    return made


@pytest.fixture
def image() -> Image:
    return Image([tar_of({"a": "1"})], {"Cmd": ["x"]})
