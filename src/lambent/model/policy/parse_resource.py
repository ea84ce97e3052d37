"""The Resource element."""

from lambent.model.policy.comparison import split_arn
from lambent.model.policy.malformed import LEGACY, MalformedPolicyError
from lambent.model.policy.pattern import Pattern

_PARTITIONS = (
    "aws",
    "aws-cn",
    "aws-us-gov",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-eusc",
    "*",
)
_ARN_PARTS = 6
_IAM_RESOURCES = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)


def parse_resource(text: str, *, variables: bool) -> Pattern:
    """An ARN or "*". An ARN that ends early stands for all that begins with it."""
    if text == "*":
        return Pattern.of(text)
    parts = split_arn(text, variables=variables)
    if len(parts) == 1:
        raise MalformedPolicyError(f'Resource {text} must be in ARN format or "*".')
    complete = [*parts, *["*"] * (_ARN_PARTS - len(parts))]
    _check(text, parts, complete)
    return Pattern.of(":".join(complete), variables=variables)


def _check(text: str, parts: list[str], complete: list[str]) -> None:
    _, partition, vendor, region, _, resource = complete
    if partition not in _PARTITIONS:
        arn = ":".join(["arn", *complete[1:]])
        raise MalformedPolicyError(f'Partition "{partition}" is not valid for resource "{arn}".')
    if len(parts) == 2 or "*" in vendor or "?" in vendor:
        raise MalformedPolicyError("Resource vendor must be fully qualified and cannot contain regexes.")
    if len(parts) == _ARN_PARTS - 1 or not vendor or parts[0] != "arn":
        raise MalformedPolicyError(LEGACY)
    if len(parts) < _ARN_PARTS:
        return
    if vendor == "iam":
        _check_iam(text, region, resource)
    if vendor == "s3" and region not in ("", "*"):
        raise MalformedPolicyError(f"Resource {text} can not contain region information.")


def _check_iam(text: str, region: str, resource: str) -> None:
    if region not in ("", "*"):
        raise MalformedPolicyError(f"IAM resource {text} cannot contain region information.")
    if not resource.startswith(("*", "root", "${", *_IAM_RESOURCES)):
        kinds = ", ".join(_IAM_RESOURCES)
        raise MalformedPolicyError(f'IAM resource path must either be "*" or start with {kinds}.')
