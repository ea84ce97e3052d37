"""Unmodified boto3 clients of IAM and STS over the real wire layer, authorizer, session tokens and SQLite.

Only the socket and the signature are left out: requests are handed over before they would be sent, and whoever
a request's access key and token name is its caller.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from lambent.base.clock import ManualClock
from lambent.base.sealing import Sealing
from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.model.credential import Credential
from lambent.model.error import ServiceException
from lambent.model.iam_account import AccessKeyUse, IamAccount
from lambent.model.oidc import OidcProvider
from lambent.model.service import Service
from lambent.model.user import Group, InstanceProfile, User
from lambent.services import iam, sts
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.roles import SqlRoleStore
from lambent.store.sqlite.database import SqliteDatabase
from lambent.wire.service import load_service

ROOT = Credential(
    access_key_id="AKIAIOSFODNN7EXAMPLE",
    secret_access_key="secret",
    account_id="111122223333",
    principal_arn="arn:aws:iam::111122223333:root",
    user_id="111122223333",
)


class Account:
    """Answers requests as the front door does, for the account of ROOT."""

    def __init__(self, database: SqliteDatabase, clock: ManualClock) -> None:
        store = SqlRoleStore(database)
        people = iam.Stores(
            users=SqlNamedRecords(database, "iam user", User),
            groups=SqlNamedRecords(database, "iam group", Group),
            instance_profiles=SqlNamedRecords(database, "instance profile", InstanceProfile),
            accounts=SqlNamedRecords(database, "iam account", IamAccount),
            providers=SqlNamedRecords(database, "oidc provider", OidcProvider),
            key_uses=SqlNamedRecords(database, "access key use", AccessKeyUse),
        )
        sealing = Sealing(bytes(32))
        self._sessions = sts.SessionTokens(bytes(32), clock)
        self._users = iam.UserCredentials(people.users, sealing)
        uses = iam.KeyUses(people.key_uses, clock)
        self._authorizer = iam.Authorizer(store, clock, people, uses)
        self._services: Mapping[str, Service] = {
            "iam": iam.service(store, people, clock, self._authorizer, self._users, sealing, uses),
            "sts": sts.service(store, clock, self._sessions, self._authorizer, self, people.providers),
        }

    def find(self, access_key_id: str, session_token: str | None) -> Credential | None:
        if access_key_id == ROOT.access_key_id:
            return ROOT
        return self._users.find(access_key_id, session_token) or self._sessions.find(
            access_key_id, session_token
        )

    async def answer(self, name: str, received: Request) -> Any:
        wire, offered = load_service(name), self._services[name]
        match = wire.match(received)
        assert match is not None
        try:
            caller = self._caller(received)
            parameters = wire.parse(match, received)
            resource = offered.resource_arn(match.operation, caller, parameters)
            await self._authorizer.authorize(caller, f"{name}:{match.operation}", resource)
            output = await offered.operations[match.operation](caller, parameters)
            return wire.serialize(match, output, "r-1")
        except ServiceException as error:
            return wire.serialize_error(match, error, "r-1")

    def _caller(self, received: Request) -> Caller:
        found = re.search(r"Credential=(\w+)/", received.headers["authorization"])
        assert found is not None
        credential = self.find(found[1], received.headers.get("x-amz-security-token"))
        assert credential is not None
        return Caller(
            account_id=credential.account_id,
            region="us-east-1",
            principal_arn=credential.principal_arn,
            user_id=credential.user_id,
            access_key_id=credential.access_key_id,
            role_arn=credential.role_arn,
            session_policies=credential.session_policies,
            session=credential.session,
        )


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`client("iam")` of the root, or `client("iam", answer["Credentials"])` of a session."""
    database = SqliteDatabase(tmp_path / "lambent.db")
    database.open()
    account = Account(database, ManualClock())
    loop = asyncio.new_event_loop()

    def connect(name: str, credentials: Mapping[str, Any] | None = None) -> Any:
        given = credentials or {
            "AccessKeyId": ROOT.access_key_id,
            "SecretAccessKey": ROOT.secret_access_key,
            "SessionToken": None,
        }
        made = boto3.client(
            name,
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:9",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )

        def send(request: Any, **_: Any) -> AWSResponse:
            response = loop.run_until_complete(account.answer(name, _received(request)))
            return AWSResponse(request.url, response.status, dict(response.headers), _Raw(response.body))

        made.meta.events.register(f"before-send.{name}", send)
        return made

    yield connect
    loop.close()
    database.close()


def _received(request: Any) -> Request:
    parts = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
    }
    path = parts.path or "/"
    body = request.body.encode() if isinstance(request.body, str) else request.body
    return Request(request.method, path, path, parts.query, headers, body)


class _Raw:
    """What botocore asks of urllib3's response."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body
