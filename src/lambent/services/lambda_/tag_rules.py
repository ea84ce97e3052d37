"""What tags a resource may have."""

from collections.abc import Mapping

from lambent.model.lambda_errors import InvalidParameterValueException

_MOST = 50
_KEY_LONGEST = 128
_VALUE_LONGEST = 256


def require_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """All tags that a resource would have. Raises InvalidParameterValueException.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html"""
    if len(tags) > _MOST:
        raise InvalidParameterValueException("Number of tags exceeds resource tag limit.")
    for key, value in tags.items():
        if not 1 <= len(key) <= _KEY_LONGEST:
            raise InvalidParameterValueException(f"Tag key {key!r} must have 1 to {_KEY_LONGEST} characters.")
        if len(value) > _VALUE_LONGEST:
            raise InvalidParameterValueException(
                f"The value of tag {key!r} must have at most {_VALUE_LONGEST} characters."
            )
        if key.lower().startswith("aws:"):
            raise InvalidParameterValueException(
                f"Tag key {key!r} begins with aws:, which is reserved for AWS."
            )
    return dict(tags)
