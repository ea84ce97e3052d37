"""Why a delivery failed, in the terms of dead letters.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from lambent.model.error import ServiceException


class DeliveryFailedError(Exception):
    """`code` is EventBridge's (NO_PERMISSIONS), `cause` the name of the target's own error, as Scheduler tells it,
    `status` the target's HTTP status, where it answered."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        cause: str | None = None,
        retriable: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cause = cause or code
        self.retriable = retriable
        self.status = status


_GONE = frozenset(
    {
        "KmsNotFound",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


def failure_of(error: ServiceException) -> DeliveryFailedError:
    """What is missing or forbidden stays so until somebody acts: only what may pass by itself is tried again."""
    name = error.code
    if name.startswith("AccessDenied") or name in (
        "AuthorizationError",
        "KMSAccessDenied",
        "KmsAccessDenied",
    ):
        return DeliveryFailedError("NO_PERMISSIONS", error.message, cause=name)
    if name in _GONE or name.endswith("NonExistentQueue"):
        return DeliveryFailedError("NO_RESOURCE", error.message, cause=name)
    if name == "UnknownOperationException":
        return DeliveryFailedError("SDK_CLIENT_ERROR", error.message, cause=name)
    if "TooManyRequests" in name or "Throttl" in name or "LimitExceeded" in name:
        return DeliveryFailedError("THROTTLING", error.message, cause=name, retriable=True)
    if "Invalid" in name or "Validation" in name or "TooLarge" in name:
        return DeliveryFailedError("INVALID_PARAMETER", error.message, cause=name)
    return DeliveryFailedError("ERROR_FROM_TARGET", error.message, cause=name, retriable=True)
