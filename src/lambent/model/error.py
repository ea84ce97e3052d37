"""Errors that a caller of an AWS service may see.

A service raises its own subclasses (`class ResourceNotFoundException(ServiceException)`) anywhere below the api; the
wire turns them into the protocol's error form, taking status and fault from the service model by `code`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class ServiceException(Exception):  # noqa: N818 - AWS's word
    """An error of an AWS service. `members` are the error shape's other members, such as Lambda's `Type`.

    `status` is only needed for errors that the service model does not define (an unknown operation, say).
    """

    status: int | None = None
    headers: Mapping[str, str] = MappingProxyType({})
    """HTTP headers that go with it, where a protocol has such (S3's x-amz-delete-marker)."""
    _code = ""
    """AWS's name of the error, where it is not the class's."""

    def __init__(self, message: str, *, code: str = "", members: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.members = dict(members or {})
        if code:
            self._code = code

    @property
    def code(self) -> str:
        """AWS's name of the error."""
        return self._code or type(self).__name__


class AccessDeniedException(ServiceException):
    status = 403


class ValidationException(ServiceException):
    status = 400


class UnknownOperationException(ServiceException):
    """The operation exists nowhere, or AWS offers it and Lambent does not: the message names it."""

    status = 404


class InternalFailure(ServiceException):
    """Our own bug, as AWS words it. The log has the rest."""

    status = 500
