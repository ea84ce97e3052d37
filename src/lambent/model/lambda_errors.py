"""The errors of AWS Lambda that Lambent raises, by AWS's names.

Source: the error shapes of the lambda service model. Every one of them has the member `Type`: "User" where the caller
can mend it, "Service" where only the service can.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from lambent.model.error import ServiceException


class LambdaException(ServiceException):
    """Base of Lambda's errors; adds `Type` where it is not given."""

    type: ClassVar[str] = "User"

    def __init__(self, message: str, *, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, members={"Type": self.type, **(members or {})})


class AccessDeniedException(LambdaException):
    """Not in the service model either: a role that Lambda cannot assume when it wants to run the function."""

    status = 403


class CallbackTimeoutException(LambdaException):
    pass


class CodeSigningConfigNotFoundException(LambdaException):
    pass


class CodeVerificationFailedException(LambdaException):
    pass


class DurableExecutionAlreadyStartedException(LambdaException):
    pass


class InvalidCodeSignatureException(LambdaException):
    pass


class CodeStorageExceededException(LambdaException):
    pass


class InvalidParameterValueException(LambdaException):
    pass


class InvalidRequestContentException(LambdaException):
    pass


class InvalidRuntimeException(LambdaException):
    type = "Service"


class KMSAccessDeniedException(LambdaException):
    pass


class KMSDisabledException(LambdaException):
    pass


class KMSInvalidStateException(LambdaException):
    pass


class KMSNotFoundException(LambdaException):
    pass


class PolicyLengthExceededException(LambdaException):
    pass


class PreconditionFailedException(LambdaException):
    pass


class ProvisionedConcurrencyConfigNotFoundException(LambdaException):
    pass


class RecursiveInvocationException(LambdaException):
    pass


class RequestEntityTooLargeException(LambdaException):
    """What AWS answers for payloads and packages over their limits. The service model does not define it; clients of
    AWS have always met it under this name."""

    status = 413


class ResourceConflictException(LambdaException):
    pass


class ResourceInUseException(LambdaException):
    pass


class ResourceNotFoundException(LambdaException):
    pass


class ResourceNotReadyException(LambdaException):
    type = "Service"


class ServiceException_(LambdaException):  # noqa: N801 - `ServiceException` is the base of all our services' errors
    """Lambda's own ServiceException: this host could not do what it should."""

    type = "Service"
    _code = "ServiceException"


class SnapStartException(LambdaException):
    """The `after_restore` hook failed, or the snapshot could not be taken again."""

    status = 400


class SnapStartTimeoutException(LambdaException):
    status = 408


class TooManyRequestsException(LambdaException):
    pass
