"""STS's errors, named by the codes that are on the wire."""

from lambent.model.error import ServiceException


class AccessDenied(ServiceException):
    status = 403


class InvalidParameterValue(ServiceException):
    status = 400


class MalformedPolicyDocument(ServiceException):
    pass


class PackedPolicyTooLarge(ServiceException):
    pass


class ValidationError(ServiceException):
    status = 400


class InvalidIdentityToken(ServiceException):
    pass


class ExpiredTokenException(ServiceException):
    pass


class IDPCommunicationError(ServiceException):
    pass
