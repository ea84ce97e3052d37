"""Who calls, from where, in which request."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Caller:
    """A caller whose signature has been verified, and the one request it makes.

    `principal_arn` is arn:aws:iam::ACCOUNT:root, or arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION;
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
    request_id: str = ""
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    endpoint_url: str = ""
    """The address at which this caller reached us (scheme://host:port), for the links that answers contain."""
    headers: dict[str, str] = field(default_factory=dict)


Parameters = dict[str, Any]
"""The members of an operation's input or output, by the names of the service model; absent where not given."""
