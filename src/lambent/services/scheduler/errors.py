"""Scheduler's errors, and its words for what several operations refuse."""

from lambent.model.error import ServiceException, ValidationException


class ResourceNotFoundException(ServiceException):
    pass


class ConflictException(ServiceException):
    pass


class InternalServerException(ServiceException):
    pass


class ServiceQuotaExceededException(ServiceException):
    pass


def no_schedule(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Schedule {name} does not exist.")


def no_group(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Schedule group {name} does not exist.")


def not_offered(what: str) -> ValidationException:
    return ValidationException(f"Lambent does not offer {what}.")
