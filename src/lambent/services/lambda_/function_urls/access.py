"""Who may call a function URL.

Beside lambda:InvokeFunctionUrl it takes lambda:InvokeFunction, each by the caller's own policies or the function's; of
callers whom nobody knows, as with AuthType NONE, only the function's policy speaks. Until November 2026 the first was
enough on AWS, and much that deploys functions still grants no more: so it is where the server is for development.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
"""

from collections.abc import Mapping
from typing import Protocol

from lambent.base.arn import partition_of
from lambent.http.message import Request
from lambent.model.caller import Caller
from lambent.model.function_url import FunctionUrl
from lambent.model.resource_policy import ResourcePolicy
from lambent.services.lambda_.function_policies import FunctionPolicies


class Authorizer(Protocol):
    async def authorize(
        self,
        caller: Caller,
        action: str,
        resource_arn: str,
        context: Mapping[str, str] | None = None,
        policy: ResourcePolicy | None = None,
    ) -> None:
        """Raises a ServiceException where the caller may not."""
        ...


class Access:
    """`url_alone`: who may lambda:InvokeFunctionUrl needs no lambda:InvokeFunction."""

    def __init__(
        self, authorizer: Authorizer, policies: FunctionPolicies, *, url_alone: bool = False
    ) -> None:
        self._authorizer = authorizer
        self._policies = policies
        self._url_alone = url_alone

    async def require(self, url: FunctionUrl, caller: Caller) -> None:
        """Raises a ServiceException."""
        arn = url.function.arn(url.qualifier, partition_of(url.function.region))
        attached = await self._policies.get(url.function, url.qualifier)
        policy = ResourcePolicy(
            account_id=url.function.account_id, document=attached.document if attached is not None else None
        )
        needed: dict[str, Mapping[str, str]] = {
            "lambda:InvokeFunctionUrl": {"lambda:FunctionUrlAuthType": url.auth_type}
        }
        if not self._url_alone:
            needed["lambda:InvokeFunction"] = {"lambda:InvokedViaFunctionUrl": "true"}
        for action, context in needed.items():
            await self._authorizer.authorize(caller, action, arn, context, policy)


def anybody(url: FunctionUrl, request: Request, request_id: str) -> Caller:
    """Whom only a policy for everybody names."""
    return Caller(
        account_id="anonymous",
        region=url.function.region,
        partition=partition_of(url.function.region),
        principal_arn="anonymous",
        user_id="anonymous",
        access_key_id="",
        request_id=request_id,
        source_ip=request.peer,
        user_agent=request.headers.get("user-agent", ""),
        headers=request.headers,
    )


def is_signed(request: Request) -> bool:
    return (
        "authorization" in request.headers
        or "X-Amz-Signature=" in request.query
        or "X-Amz-Credential=" in request.query
    )
