"""EventBridge's errors, and its words for what several operations refuse."""

from lambent.model.error import ServiceException, ValidationException


class ResourceNotFoundException(ServiceException):
    pass


class ResourceAlreadyExistsException(ServiceException):
    pass


class InvalidEventPatternException(ServiceException):
    pass


class LimitExceededException(ServiceException):
    pass


class ManagedRuleException(ServiceException):
    pass


class ConcurrentModificationException(ServiceException):
    pass


class IllegalStatusException(ServiceException):
    pass


class PolicyLengthExceededException(ServiceException):
    pass


class InternalException(ServiceException):
    pass


def no_bus(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Event bus {name} does not exist.")


def no_rule(name: str, bus: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus}.")


def invalid(parameter: str, reason: str = "") -> ValidationException:
    return ValidationException(f"Parameter {parameter} is not valid.{f' Reason: {reason}' if reason else ''}")


def not_offered(what: str) -> ValidationException:
    return ValidationException(f"Lambent does not offer {what}.")
