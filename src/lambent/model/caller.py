"""Who calls, from where, in which request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from lambent.base.arn import partition_of
from lambent.model.credential import SessionFacts


@dataclass(slots=True, kw_only=True)
class Caller:
    """A caller whose signature has been verified, and the one request it makes.

    `principal_arn` is arn:aws:iam::ACCOUNT:root, arn:aws:iam::ACCOUNT:user/NAME, or
    arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION;
    `role_arn` is the role behind an assumed-role session, else None. Not frozen: one is made for each
    request, and a frozen one costs twice as much.
    """

    account_id: str
    region: str
    partition: str = "aws"
    principal_arn: str
    user_id: str
    access_key_id: str
    role_arn: str | None = None
    session_policies: tuple[str, ...] = ()
    """Its Credential's."""
    session: SessionFacts | None = None
    request_id: str = ""
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    endpoint_url: str = ""
    """The address at which this caller reached us (scheme://host:port), for the links that answers contain."""
    headers: dict[str, str] = field(default_factory=dict)
    service: str | None = None
    """The AWS service that calls of its own accord (sns.amazonaws.com): only a resource's policy lets it in."""
    source_arn: str | None = None
    """What it calls for (the topic), for conditions on aws:SourceArn. aws:SourceAccount is `account_id`."""


def service_caller(
    service: str,
    *,
    account_id: str,
    region: str,
    source_arn: str | None,
    partition: str = "aws",
    request_id: str = "",
) -> Caller:
    """An AWS service that acts for a resource of `account_id`: S3 which tells a queue of an upload.

    It may do what the policy of the resource that it calls allows `service` ("s3.amazonaws.com"), and nothing else."""
    return Caller(
        account_id=account_id,
        region=region,
        partition=partition,
        principal_arn=service,
        user_id=service,
        access_key_id="",
        request_id=request_id,
        user_agent=service,
        service=service,
        source_arn=source_arn,
    )


def account_caller(service: str, *, account_id: str, region: str) -> Caller:
    """An AWS service that acts as the root of an account, for what is the account's own."""
    partition = partition_of(region)
    return Caller(
        account_id=account_id,
        region=region,
        partition=partition,
        principal_arn=f"arn:{partition}:iam::{account_id}:root",
        user_id=account_id,
        access_key_id="",
        user_agent=service,
    )


class RoleCallers(Protocol):
    """How a service acts with a role that it was given: a schedule's, a rule's target's, a function's own."""

    async def assume(
        self, role_arn: str, service: str, *, region: str, session_name: str, source_arn: str | None = None
    ) -> Caller:
        """A session of the role. Raises AccessDeniedException where there is no such role, or its trust policy does
        not let `service` ("scheduler.amazonaws.com") assume it."""
        ...


PassRole = Callable[[Caller, str, str], Awaitable[None]]
"""Asked by a service that is given a role (its ARN, the service's principal): raises AccessDeniedException where the
role is another account's, or the caller's own policies do not let it hand the role on (iam:PassRole)."""

Parameters = dict[str, Any]
"""The members of an operation's input or output, by the names of the service model; absent where not given."""
