"""The refusal of a request, under the name that its service has for it."""

from lambent.model.error import ServiceException

_CODES = {
    "cloudformation": "AccessDenied",
    "cloudwatch": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "iam": "AccessDenied",
    "s3": "AccessDenied",
    "sns": "AuthorizationError",
    "sqs": "AccessDenied",
    "sts": "AccessDenied",
}


class AccessDenied(ServiceException):
    """`action` is what was refused (lambda:CreateFunction); JSON services call it AccessDeniedException."""

    status = 403

    def __init__(self, message: str, action: str) -> None:
        super().__init__(message, code=_CODES.get(action.partition(":")[0], "AccessDeniedException"))
