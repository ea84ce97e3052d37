"""The filter pattern language of CloudWatch Logs: pure functions from a pattern and a message to a verdict.

Knows nothing of log groups, requests or stores. `parse` compiles a pattern once; the result is applied to any
number of messages, in time linear in their length whatever the pattern: no caller can stall the server.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from lambent.services.logs.filter_pattern import delimited, json_pattern, terms
from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError
from lambent.services.logs.filter_pattern.pattern import FilterPattern

__all__ = ["FilterPattern", "InvalidFilterPatternError", "parse"]


def parse(text: str) -> FilterPattern:
    """`{…}` is a JSON pattern, `[…]` a space-delimited one, all else is terms. Blank text matches all.

    Raises InvalidFilterPatternError."""
    text = text.strip()
    if text.startswith("{"):
        return json_pattern.parse(_inside(text, "{", "}"))
    if text.startswith("["):
        return delimited.parse(_inside(text, "[", "]"))
    return terms.parse(text)


def _inside(text: str, opening: str, closing: str) -> str:
    if len(text) < 2 or not text.endswith(closing):
        raise InvalidFilterPatternError(
            f"If a filter pattern starts with '{opening}' it must end with '{closing}'"
        )
    return text[1:-1]
