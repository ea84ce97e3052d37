"""Where the outcome of an asynchronous invocation may go: destinations and dead-letter targets, and whether the
function's role may send there.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from collections.abc import Mapping

from lambent.base.arn import Arn
from lambent.model.caller import RoleCallers
from lambent.model.error import AccessDeniedException
from lambent.model.function import FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.ports import CallerPolicies
from lambent.store.ports.functions import FunctionStore

_CALLS: Mapping[str, str] = {
    "sqs": "SendMessage",
    "sns": "Publish",
    "lambda": "InvokeFunction",
    "events": "PutEvents",
    "s3": "PutObject",
}
"""What is called of each service that outcomes can go to."""
_SUCCESS = ("sqs", "sns", "lambda", "events")
_FAILURE = (*_SUCCESS, "s3")
_DEAD_LETTERS: Mapping[str, str] = {"sqs": "SQS", "sns": "SNS"}


class DeliveryTargets:
    def __init__(self, functions: FunctionStore, roles: RoleCallers, policies: CallerPolicies) -> None:
        self._functions = functions
        self._roles = roles
        self._policies = policies

    async def require_destinations(
        self, function: FunctionId, role_arn: str, on_success: str | None, on_failure: str | None
    ) -> None:
        """Raises InvalidParameterValueException."""
        allowed = ((on_success, _SUCCESS), (on_failure, _FAILURE))
        if any(arn is not None and _service(arn) not in services for arn, services in allowed):
            success = f"OnSuccess(destination={on_success})" if on_success else "null"
            failure = f"OnFailure(destination={on_failure})" if on_failure else "null"
            raise InvalidParameterValueException(
                f"The provided destination config DestinationConfig(onSuccess={success}, onFailure={failure}) "
                "is invalid."
            )
        for arn in (on_success, on_failure):
            if arn is not None:
                await self._require_function(function, arn)
                if not await self._may_send(function, role_arn, arn):
                    raise InvalidParameterValueException(
                        "The function's execution role does not have permissions to call "
                        f"{_CALLS[_service(arn)]} on {arn}"
                    )

    async def dead_letters(
        self, function: FunctionId, role_arn: str, config: Mapping[str, str], current: str | None = None
    ) -> str | None:
        """The target that a DeadLetterConfig names, `current` where it names none at all. An empty name removes it.

        Raises InvalidParameterValueException for one that cannot be, or that this role may not send to."""
        target_arn = config.get("TargetArn", current) or None
        if target_arn is not None:
            await self._require_dead_letters(function, role_arn, target_arn)
        return target_arn

    async def _require_dead_letters(self, function: FunctionId, role_arn: str, target_arn: str) -> None:
        service = _service(target_arn)
        if service not in _DEAD_LETTERS:
            raise InvalidParameterValueException(
                f"The provided dead letter config TargetArn {target_arn} is invalid."
            )
        if not await self._may_send(function, role_arn, target_arn):
            raise InvalidParameterValueException(
                "The provided execution role does not have permissions to call "
                f"{_CALLS[service]} on {_DEAD_LETTERS[service]}"
            )

    async def _require_function(self, function: FunctionId, arn: str) -> None:
        """That a function which is to be told of the outcome is there, and another."""
        target = Arn.parse(arn)
        if target.service != "lambda":
            return
        kind, _, rest = target.resource.partition(":")
        named = FunctionId(target.account_id, target.region, rest.partition(":")[0])
        if named == function:
            raise InvalidParameterValueException(
                "You can't specify the function as a destination for itself."
            )
        own = named.account_id == function.account_id
        if kind != "function" or (own and await self._functions.get(named) is None):
            raise InvalidParameterValueException(f"The destination ARN {arn} is invalid.")

    async def _may_send(self, function: FunctionId, role_arn: str, target_arn: str) -> bool:
        service = _service(target_arn)
        resource = target_arn
        if service == "s3":
            resource = f"{target_arn}/aws/lambda/async/{function.name}/*"
        try:
            caller = await self._roles.assume(
                role_arn, "lambda.amazonaws.com", region=function.region, session_name=function.name
            )
        except AccessDeniedException:
            return False
        outcome = await self._policies.decide(caller, f"{service}:{_CALLS[service]}", resource)
        return outcome.allowed


def _service(arn: str) -> str:
    try:
        return Arn.parse(arn).service
    except ValueError:
        return ""
