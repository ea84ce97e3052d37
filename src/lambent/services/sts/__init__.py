"""AWS Security Token Service: who calls, and temporary credentials for roles.

Knows roles by the store, and what callers may do through a port that services/iam fulfils.

Source: the sts service model and https://docs.aws.amazon.com/STS/latest/APIReference/
"""

from lambent.base.clock import Clock
from lambent.http.client import request
from lambent.model.caller import Caller, Parameters
from lambent.model.credential import CredentialSource
from lambent.model.oidc import OidcProvider
from lambent.model.service import Service
from lambent.services.sts.assume_role import AssumeRole, CallerPolicies
from lambent.services.sts.identity import Identity
from lambent.services.sts.issuer_keys import Send
from lambent.services.sts.sessions import SessionTokens
from lambent.services.sts.web_identity import AssumeRoleWithWebIdentity
from lambent.store.ports.named_records import NamedRecords
from lambent.store.ports.roles import RoleStore

__all__ = ["SessionTokens", "service"]


def service(
    store: RoleStore,
    clock: Clock,
    sessions: SessionTokens,
    policies: CallerPolicies,
    credentials: CredentialSource,
    providers: NamedRecords[OidcProvider],
    send: Send = request,
) -> Service:
    """`policies` is iam's Authorizer; `credentials` are all that may sign, for GetAccessKeyInfo; `send` asks identity
    providers for their keys."""
    return Service(
        name="sts",
        operations={
            "AssumeRole": AssumeRole(store, clock, sessions, policies),
            "AssumeRoleWithWebIdentity": AssumeRoleWithWebIdentity(store, providers, sessions, clock, send),
            **Identity(sessions, credentials).operations(),
        },
        resource_arn=_resource_arn,
    )


def _resource_arn(operation: str, caller: Caller, parameters: Parameters) -> str:
    return str(parameters.get("RoleArn", "*"))
