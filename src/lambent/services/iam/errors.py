"""IAM's errors. Their classes bear the codes that are on the wire (the service model's `error.code`), which
the model's shape names lengthen by "Exception"."""

from lambent.model.error import ServiceException


class NoSuchEntity(ServiceException):
    pass


class EntityAlreadyExists(ServiceException):
    pass


class DeleteConflict(ServiceException):
    pass


class MalformedPolicyDocument(ServiceException):
    pass


class InvalidInput(ServiceException):
    pass


class LimitExceeded(ServiceException):
    pass


class ConcurrentModification(ServiceException):
    pass


class PasswordPolicyViolation(ServiceException):
    pass


class MalformedCertificate(ServiceException):
    pass


class DuplicateCertificate(ServiceException):
    pass


class InvalidUserType(ServiceException):
    pass


class UnmodifiableEntity(ServiceException):
    pass


class AccessDenied(ServiceException):
    status = 403


class ValidationError(ServiceException):
    """Of every query service, so the iam model does not list it."""

    status = 400
