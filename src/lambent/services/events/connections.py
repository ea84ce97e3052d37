"""Connections: how API destinations are authorized.

One with an API key or a password is authorized as it is made; one with OAuth when a token could be had, which is tried
soon after. There is no Secrets Manager behind them: SecretArn names what AWS would have made.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.base.sealing import Sealing
from lambent.model.caller import Caller, Parameters
from lambent.model.connection import Connection, ConnectionState
from lambent.model.error import ValidationException
from lambent.model.service import Operation
from lambent.services.events.authorization import Authorization, AuthorizationFailedError
from lambent.services.events.errors import (
    ConcurrentModificationException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    not_offered,
)
from lambent.services.events.pages import cut, limit, position
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError, StaleRevisionError
from lambent.store.ports.named_records import Due, Name, NamedRecords
from lambent.targets.timer import Timer

_OAUTH = "OAUTH_CLIENT_CREDENTIALS"
_MEMBERS: Mapping[str, str] = {
    "BASIC": "BasicAuthParameters",
    "API_KEY": "ApiKeyAuthParameters",
    _OAUTH: "OAuthParameters",
}
_SECRETS = frozenset({"Password", "ApiKeyValue", "ClientSecret"})


class Connections:
    """`timer` authorizes those that wait for it, which show as AUTHORIZING for `settle_seconds` at least."""

    def __init__(
        self,
        connections: NamedRecords[Connection],
        sealing: Sealing,
        authorization: Authorization,
        clock: Clock,
        settle_seconds: float,
    ) -> None:
        self._connections = connections
        self._sealing = sealing
        self._authorization = authorization
        self._clock = clock
        self._settle_seconds = settle_seconds
        self.timer = Timer(connections, self._authorize, lambda _, now: now + settle_seconds, clock)

    def operations(self) -> Mapping[str, Operation]:
        return {
            "CreateConnection": self.create,
            "DescribeConnection": self.describe,
            "UpdateConnection": self.update,
            "DeauthorizeConnection": self.deauthorize,
            "DeleteConnection": self.delete,
            "ListConnections": self.list,
        }

    async def create(self, caller: Caller, parameters: Parameters) -> Parameters:
        kind, given = parameters["AuthorizationType"], parameters["AuthParameters"]
        _check(kind, given, parameters)
        id, now = new_uuid(), self._clock.now()
        connection = Connection(
            id=id,
            account_id=caller.account_id,
            region=caller.region,
            name=parameters["Name"],
            description=parameters.get("Description"),
            authorization_type=kind,
            sealed=self._sealing.seal(given, id),
            state=_first_state(kind),
            created_at=now,
            modified_at=now,
            authorized_at=now,
        )
        try:
            await self._connections.insert(
                _name(caller, connection.name), connection, due_at=self._due(connection)
            )
        except AlreadyExistsError:
            raise ResourceAlreadyExistsException(f"Connection {connection.name} already exists.") from None
        self.timer.wake()
        answer = _changed(connection, caller)
        del answer["LastAuthorizedTime"]
        return answer

    async def describe(self, caller: Caller, parameters: Parameters) -> Parameters:
        connection = await self._require(_name(caller, parameters["Name"]), "describe")
        members = {
            **_listed(connection, caller),
            "SecretArn": _secret_arn(connection, caller),
            "AuthParameters": _public(self._sealing.open(connection.sealed, connection.id)),
        }
        if connection.description is not None:
            members["Description"] = connection.description
        return members

    async def update(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters["Name"])
        previous = await self._require(name, "describe")
        kind = parameters.get("AuthorizationType", previous.authorization_type)
        before = self._sealing.open(previous.sealed, previous.id)
        given = _merged(before, parameters.get("AuthParameters", {}))
        if kind != previous.authorization_type:
            given.pop(_MEMBERS[previous.authorization_type], None)
        _check(kind, given, parameters)
        now = self._clock.now()
        connection = replace(
            previous,
            description=parameters.get("Description", previous.description),
            authorization_type=kind,
            sealed=self._sealing.seal(given, previous.id),
            state=_first_state(kind),
            state_reason=None,
            modified_at=now,
            authorized_at=now,
        )
        await self._replace(name, connection, previous)
        return _changed(connection, caller)

    async def deauthorize(self, caller: Caller, parameters: Parameters) -> Parameters:
        """Its secrets are forgotten."""
        name = _name(caller, parameters["Name"])
        previous = await self._require(name, "describe")
        connection = replace(
            previous,
            sealed=self._sealing.seal(_public(self._sealing.open(previous.sealed, previous.id)), previous.id),
            state="DEAUTHORIZED",
            modified_at=self._clock.now(),
        )
        await self._replace(name, connection, previous)
        return _changed(connection, caller)

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        name = _name(caller, parameters["Name"])
        connection = await self._require(name, "describe")
        try:
            await self._connections.delete(name)
        except NotFoundError:
            raise _no_connection(name.name, "describe") from None
        self._authorization.forget(connection.id)
        return {**_changed(connection, caller), "ConnectionState": "DELETING"}

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        state = parameters.get("ConnectionState")
        found = await self._connections.page(
            caller.account_id,
            caller.region,
            prefix=parameters.get("NamePrefix", ""),
            after=("", position(parameters)),
            limit=limit(parameters) + 1,
        )
        connections, paging = cut(parameters, [each for _, each in found], lambda each: each.name)
        wanted = (each for each in connections if state in (None, each.state))
        return {"Connections": [_listed(each, caller) for each in wanted], **paging}

    async def _authorize(self, due: Due[Connection]) -> None:
        connection = due.value
        state: ConnectionState = "AUTHORIZED"
        reason = None
        try:
            await self._authorization.headers(connection)
        except AuthorizationFailedError as error:
            state, reason = "DEAUTHORIZED", str(error)[:512]
        now = self._clock.now()
        changed = replace(
            connection, state=state, state_reason=reason, authorized_at=now if reason is None else None
        )
        await self._connections.advance(
            due.name, previous=connection, value=changed, due_at=None, deliveries=()
        )

    async def _replace(self, name: Name, connection: Connection, previous: Connection) -> None:
        try:
            await self._connections.replace(name, connection, previous=previous, due_at=self._due(connection))
        except (NotFoundError, StaleRevisionError):
            raise ConcurrentModificationException(
                f"Connection {name.name} is being modified by other requests."
            ) from None
        self._authorization.forget(connection.id)
        self.timer.wake()

    def _due(self, connection: Connection) -> float | None:
        return self._clock.now() + self._settle_seconds if connection.state == "AUTHORIZING" else None

    async def _require(self, name: Name, verb: str) -> Connection:
        connection = await self._connections.get(name)
        if connection is None:
            raise _no_connection(name.name, verb)
        return connection


def _first_state(kind: str) -> ConnectionState:
    return "AUTHORIZING" if kind == _OAUTH else "AUTHORIZED"


def _check(kind: str, given: Mapping[str, Any], parameters: Parameters) -> None:
    for name in ("InvocationConnectivityParameters", "KmsKeyIdentifier"):
        if parameters.get(name):
            raise not_offered(f"{name} of connections")
    if "ConnectivityParameters" in given:
        raise not_offered("ConnectivityParameters of connections")
    if _MEMBERS[kind] not in given:
        raise ValidationException(
            f"Parameter AuthParameters is not valid. Reason: {_MEMBERS[kind]} is required."
        )


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, over what was there: structures member by member."""
    merged = dict(before)
    for name, value in given.items():
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
    return merged


def _public(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is secret."""
    public: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in _SECRETS:
            continue
        if isinstance(value, dict):
            public[name] = _public(value)
        elif isinstance(value, list):
            public[name] = [
                {key: each[key] for key in each if key != "Value" or not each.get("IsValueSecret")}
                for each in value
            ]
        else:
            public[name] = value
    return public


def _name(caller: Caller, name: str) -> Name:
    return Name(caller.account_id, caller.region, "", name)


def _no_connection(name: str, verb: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        f"Failed to {verb} the connection(s). Connection '{name}' does not exist."
    )


def _secret_arn(connection: Connection, caller: Caller) -> str:
    """With the six characters behind a dash by which Secrets Manager tells secrets of one name apart."""
    suffix = connection.id.replace("-", "")[-6:]
    secret = f"events!connection/{connection.name}/{connection.id}-{suffix}"
    return (
        f"arn:{caller.partition}:secretsmanager:{connection.region}:{connection.account_id}:secret:{secret}"
    )


def _changed(connection: Connection, caller: Caller) -> Parameters:
    return {
        "ConnectionArn": connection.arn(caller.partition),
        "ConnectionState": connection.state,
        "CreationTime": connection.created_at,
        "LastModifiedTime": connection.modified_at,
        "LastAuthorizedTime": connection.authorized_at,
    }


def _listed(connection: Connection, caller: Caller) -> Parameters:
    members = {
        **_changed(connection, caller),
        "Name": connection.name,
        "AuthorizationType": connection.authorization_type,
        "StateReason": connection.state_reason,
    }
    return {name: value for name, value in members.items() if value is not None}
