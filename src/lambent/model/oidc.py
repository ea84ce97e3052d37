"""OpenID Connect providers, whose tokens stand for identities outside.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """`url` is without its scheme: the issuer's host and path. Times are epoch seconds."""

    account_id: str
    url: str
    client_ids: tuple[str, ...] = ()
    thumbprints: tuple[str, ...] = ()
    created_at: float
    tags: Mapping[str, str] = field(default_factory=dict)

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::{self.account_id}:oidc-provider/{self.url}"
