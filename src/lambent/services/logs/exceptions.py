"""The errors of CloudWatch Logs, with the texts that AWS gives them."""

from lambent.model.error import ServiceException


class ResourceNotFoundException(ServiceException):
    @classmethod
    def group(cls) -> "ResourceNotFoundException":
        return cls("The specified log group does not exist.")

    @classmethod
    def stream(cls) -> "ResourceNotFoundException":
        return cls("The specified log stream does not exist.")


class ResourceAlreadyExistsException(ServiceException):
    pass


class InvalidParameterException(ServiceException):
    pass


class AccessDeniedException(ServiceException):
    pass


class ValidationException(ServiceException):
    pass


class LimitExceededException(ServiceException):
    pass


class TooManyTagsException(ServiceException):
    pass


class ServiceUnavailableException(ServiceException):
    pass


class SessionTimeoutException(ServiceException):
    pass


class MalformedQueryException(ServiceException):
    pass


class InvalidOperationException(ServiceException):
    pass
