"""Access keys, and whom they speak for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What a session was given beside its policies, for conditions to ask about, and for the sessions after it."""

    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    """Of those tags that sessions of further roles have, too."""
    source_identity: str | None = None
    issuer_arn: str | None = None
    """Of a federated user: the user or root that it was issued by, and can do no more than."""
    issuer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key pair that may sign. `session_token` and `expires_at` (epoch seconds) only for temporary ones (ASIA…)."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    expires_at: float | None = None
    account_id: str
    principal_arn: str
    user_id: str
    role_arn: str | None = None
    session_policies: tuple[str, ...] = ()
    """What a session may do at most: JSON text of documents, and ARNs of managed policies. It is the Caller's too."""
    session: SessionFacts | None = None


class CredentialSource(Protocol):
    def find(self, access_key_id: str, session_token: str | None) -> Credential | None:
        """The credential behind an access key id (and its token), or None. No I/O: this is on every request's path.

        An expired one is returned: the caller of this port answers it as AWS does (ExpiredToken)."""
        ...
