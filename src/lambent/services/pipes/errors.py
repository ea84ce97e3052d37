"""EventBridge Pipes' errors."""

import orjson

from lambent.model.error import ServiceException, ValidationException


class NotFoundException(ServiceException):
    pass


class ConflictException(ServiceException):
    pass


class InternalException(ServiceException):
    pass


def no_pipe(name: str) -> NotFoundException:
    return NotFoundException(f"Pipe {name} does not exist.")


def conflict(name: str, message: str) -> ConflictException:
    return ConflictException(message, members={"resourceId": name, "resourceType": "Pipe"})


def invalid(field: str, message: str) -> ValidationException:
    """Of one field, such as SourceParameters.SqsQueueParameters.BatchSize: the message is JSON, as AWS's is."""
    said = {"ValidationErrorFields": [{"Name": field, "Message": message}]}
    return ValidationException(
        orjson.dumps(said).decode(), members={"fieldList": [{"name": field, "message": message}]}
    )


def not_offered(field: str, what: str) -> ValidationException:
    return invalid(field, f"Lambent does not offer {what}.")
