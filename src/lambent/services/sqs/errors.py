"""SQS's errors. Their classes bear the model's names; `wire/sqs_query.py` knows what the query protocol calls them."""

from lambent.model.error import ServiceException


class BatchEntryIdsNotDistinct(ServiceException):
    pass


class BatchRequestTooLong(ServiceException):
    pass


class EmptyBatchRequest(ServiceException):
    pass


class InvalidAddress(ServiceException):
    status = 404


class InvalidAttributeName(ServiceException):
    pass


class InvalidAttributeValue(ServiceException):
    pass


class InvalidBatchEntryId(ServiceException):
    pass


class InvalidMessageContents(ServiceException):
    pass


class KmsAccessDenied(ServiceException):
    pass


class KmsDisabled(ServiceException):
    pass


class KmsInvalidKeyUsage(ServiceException):
    pass


class KmsInvalidState(ServiceException):
    pass


class KmsNotFound(ServiceException):
    pass


class OverLimit(ServiceException):
    status = 403


class PurgeQueueInProgress(ServiceException):
    status = 403


class QueueDeletedRecently(ServiceException):
    pass


class QueueDoesNotExist(ServiceException):
    def __init__(self, message: str = "The specified queue does not exist.") -> None:
        super().__init__(message)


class QueueNameExists(ServiceException):
    pass


class ReceiptHandleIsInvalid(ServiceException):
    status = 404


class ResourceNotFoundException(ServiceException):
    status = 404


class TooManyEntriesInBatchRequest(ServiceException):
    pass


class InvalidParameterValueException(ServiceException):
    """Not in the model, and the most frequent of all."""

    status = 400


class MissingRequiredParameterException(ServiceException):
    status = 400

    def __init__(self, parameter: str) -> None:
        super().__init__(f"The request must contain the parameter {parameter}.")


def invalid_value(value: object, parameter: str, reason: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(
        f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    )


class ServiceUnavailable(ServiceException):
    """The disk takes no more."""

    status = 503
