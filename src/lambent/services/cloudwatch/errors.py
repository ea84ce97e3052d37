"""CloudWatch's errors, by the names of its model."""

from lambent.model.error import ServiceException


class InvalidParameterValueException(ServiceException):
    pass


class InvalidParameterCombinationException(ServiceException):
    pass


class MissingRequiredParameterException(ServiceException):
    pass


class InvalidNextToken(ServiceException):
    def __init__(self) -> None:
        super().__init__("The next token specified is invalid.")


class ResourceNotFound(ServiceException):
    status = 404


class DashboardNotFoundError(ServiceException):
    status = 404


class DashboardInvalidInputError(ServiceException):
    pass


class ResourceNotFoundException(ServiceException):
    status = 404


class InvalidFormatFault(ServiceException):
    pass
