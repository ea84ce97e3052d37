"""The errors of AWS Signer, by AWS's names."""

from lambent.model.error import ServiceException


class SignerException(ServiceException):
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message, members={"code": type(self).__name__})


class BadRequestException(SignerException):
    pass


class NotFoundException(SignerException):
    status = 404


class ResourceNotFoundException(SignerException):
    status = 404


class ValidationException(SignerException):
    pass
