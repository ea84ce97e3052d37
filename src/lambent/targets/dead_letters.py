"""Dead letters as messages of SQS."""

from collections.abc import Mapping
from typing import Any


def string_attributes(attributes: Mapping[str, str]) -> dict[str, Any]:
    """MessageAttributes, all strings; without those that are empty, which SQS refuses."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value}
