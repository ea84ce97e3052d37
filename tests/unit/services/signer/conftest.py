"""Signer on records in memory, beside an S3 of one dictionary."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller, Parameters
from lambent.model.code_signature import CodeSigner
from lambent.model.error import ServiceException
from lambent.services import signer
from lambent.store.ports.errors import AlreadyExistsError, StaleRevisionError
from lambent.store.ports.named_records import Name


class MemoryRecords:
    """What Signer uses of NamedRecords."""

    def __init__(self) -> None:
        self.values: dict[Name, Any] = {}

    async def insert(self, name: Name, value: Any) -> None:
        if name in self.values:
            raise AlreadyExistsError
        self.values[name] = value

    async def get(self, name: Name) -> Any:
        return self.values.get(name)

    async def replace(self, name: Name, value: Any, *, previous: Any) -> None:
        if self.values.get(name) != previous:
            raise StaleRevisionError
        self.values[name] = value

    async def page(
        self, account_id: str, region: str, *, after: tuple[str, str], limit: int
    ) -> Sequence[tuple[Name, Any]]:
        own = [
            entry
            for entry in sorted(self.values.items(), key=lambda entry: entry[0])
            if (entry[0].account_id, entry[0].region) == (account_id, region)
        ]
        return [entry for entry in own if (entry[0].parent, entry[0].name) > after][:limit]


class NoSuchKey(ServiceException):
    pass


class S3:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.asked: list[tuple[str, Parameters]] = []

    async def __call__(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        assert service == "s3"
        self.asked.append((operation, parameters))
        place = parameters["Bucket"], parameters["Key"]
        if operation == "PutObject":
            self.objects[place] = parameters["Body"]
            return {}
        if place not in self.objects:
            raise NoSuchKey("The specified key does not exist.")
        return {"Body": self.objects[place]}


class Signing:
    def __init__(self) -> None:
        self.profiles, self.jobs = MemoryRecords(), MemoryRecords()
        self.s3, self.clock, self.code_signer = S3(), ManualClock(), CodeSigner(b"secret")
        self.service = signer.service(
            self.profiles, self.jobs, signer=self.code_signer, client=self.s3, clock=self.clock
        )
        self.caller = Caller(
            account_id="123456789012",
            region="us-east-1",
            principal_arn="arn:aws:iam::123456789012:root",
            user_id="123456789012",
            access_key_id="AKIA",
        )

    async def call(self, operation: str, **parameters: Any) -> Parameters:
        return await self.service.operations[operation](self.caller, parameters)

    def by(self, **changes: Any) -> "Signing":
        other = object.__new__(Signing)
        other.__dict__.update(self.__dict__)
        other.caller = replace(self.caller, **changes)
        return other

    async def profile(self, name: str = "team", **settings: Any) -> Parameters:
        return await self.call(
            "PutSigningProfile", profileName=name, platformId="AWSLambda-SHA384-ECDSA", **settings
        )

    async def sign(self, token: str = "t", key: str = "code.zip", name: str = "team") -> str:
        started = await self.call(
            "StartSigningJob",
            source={"s3": {"bucketName": "b", "key": key, "version": "v1"}},
            destination={"s3": {"bucketName": "signed", "prefix": "p/"}},
            profileName=name,
            clientRequestToken=token,
        )
        return str(started["jobId"])


@pytest.fixture
def aws() -> Signing:
    made = Signing()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "x = 1")
    made.s3.objects["b", "code.zip"] = packed.getvalue()
    made.s3.objects["b", "no.zip"] = b"no zip file"
    return made
