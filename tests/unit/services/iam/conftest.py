import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lambent.services.iam import Authorizer, service

Call = Callable[..., Awaitable[dict[str, Any]]]

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


@pytest.fixture
def trust() -> str:
    return TRUST


@pytest.fixture
def authorizer(role_store, clock) -> Authorizer:
    return Authorizer(role_store, clock)


@pytest.fixture
def iam(role_store, clock, authorizer, root) -> Call:
    """Calls an operation as the account's root: `await iam("GetRole", RoleName="x")`."""
    offered = service(role_store, clock, authorizer)

    async def call(operation: str, **parameters: Any) -> dict[str, Any]:
        return await offered.operations[operation](root, parameters)

    return call


@pytest.fixture
def allow() -> Callable[..., str]:
    """The text of a policy of one statement."""

    def document(action: Any, resource: Any = "*", effect: str = "Allow", **members: Any) -> str:
        statement = {"Effect": effect, "Action": action, "Resource": resource, **members}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    return document
