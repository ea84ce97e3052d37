"""Policy documents as they come in and go out."""

from urllib.parse import quote

from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy
from lambent.services.iam.errors import MalformedPolicyDocument


def check_document(text: str, kind: PolicyKind) -> str:
    """The same text. Raises MalformedPolicyDocument."""
    try:
        parse_policy(text, kind)
    except MalformedPolicyError as error:
        raise MalformedPolicyDocument(str(error)) from None
    return text


def encoded(document: str) -> str:
    """URL-encoded (RFC 3986), as IAM gives documents back; SDKs decode them."""
    return quote(document, safe="")
