"""What the wire itself has against a request, before any operation sees it."""

from typing import Any

from lambent.model.error import ServiceException


class SerializationException(ServiceException):
    """The body cannot be read, or a member is of another type than the model says."""

    status = 400


class InvalidURI(ServiceException):
    """The path is no text."""

    status = 400


class RejectedRequest(ServiceException):
    """An error whose name depends on the service: see `constraint_style`."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(message, code=code, members=members)
        self.status = 400


def not_convertible(value: Any, java_type: str) -> SerializationException:
    """`value` is of another JSON type than the scalar that is expected, in AWS's words."""
    if isinstance(value, list):
        return SerializationException("Start of list found where not expected")
    if isinstance(value, dict):
        return SerializationException("Start of structure or map found where not expected.")
    article = "an" if java_type[0] in "AEIOU" else "a"
    return SerializationException(f"{_token(value)} can not be converted to {article} {java_type}")


def text_not_convertible(text: str, java_type: str) -> SerializationException:
    """`text` does not read as the scalar that is expected."""
    article = "an" if java_type[0] in "AEIOU" else "a"
    return SerializationException(f"'{text}' can not be converted to {article} {java_type}")


def not_a_container(value: Any, expected: str) -> SerializationException:
    """`value` is not the container that is expected: "list or null", "map or null" or, for a structure,
    "null"."""
    if isinstance(value, list | dict):
        return not_convertible(value, "")
    return SerializationException(f"Expected {expected}")


def _token(value: Any) -> str:
    if value is True:
        return "TRUE_VALUE"
    if value is False:
        return "FALSE_VALUE"
    return "NUMBER_VALUE" if isinstance(value, int | float) else "STRING_VALUE"
