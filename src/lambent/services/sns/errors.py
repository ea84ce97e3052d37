"""SNS's errors. Their classes bear the codes that are on the wire (the service model's `error.code`)."""

from lambent.model.error import ServiceException


class AuthorizationError(ServiceException):
    pass


class BatchEntryIdsNotDistinct(ServiceException):
    pass


class BatchRequestTooLong(ServiceException):
    pass


class EmptyBatchRequest(ServiceException):
    pass


class FilterPolicyLimitExceeded(ServiceException):
    pass


class InvalidBatchEntryId(ServiceException):
    pass


class InvalidParameter(ServiceException):
    pass


class InvalidState(ServiceException):
    pass


class KMSAccessDenied(ServiceException):
    pass


class KMSDisabled(ServiceException):
    pass


class KMSInvalidState(ServiceException):
    pass


class KMSNotFound(ServiceException):
    pass


class NotFound(ServiceException):
    pass


class ParameterValueInvalid(ServiceException):
    pass


class ResourceNotFound(ServiceException):
    pass


class TagLimitExceeded(ServiceException):
    pass


class TooManyEntriesInBatchRequest(ServiceException):
    pass


class InternalError(ServiceException):
    pass


def invalid(what: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid parameter: {what}")
