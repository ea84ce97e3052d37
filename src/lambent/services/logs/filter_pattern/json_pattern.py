"""JSON patterns: `{ $.user.id = 1 && ($.latency > 3 || $.error IS TRUE) }`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError
from lambent.services.logs.filter_pattern.lexer import Kind, Token, tokens
from lambent.services.logs.filter_pattern.operand import as_text, compare
from lambent.services.logs.filter_pattern.parser import Condition, Parser, unexpected
from lambent.services.logs.filter_pattern.selector import Selector

_WILDCARDS_MOST = 3
_NAMED_VALUES = {"NULL": None, "TRUE": True, "FALSE": False}


def parse(inside: str) -> "JsonPattern":
    """`inside` is what stands between the braces. Raises InvalidFilterPatternError."""
    parser = _JsonParser(tokens(inside))
    condition = parser.condition()
    parser.expect_end()
    if sum(selector.wild for selector in parser.selectors) > _WILDCARDS_MOST:
        raise InvalidFilterPatternError.because(f"more than {_WILDCARDS_MOST} wildcard selectors")
    return JsonPattern(condition, tuple(parser.selectors))


@dataclass(frozen=True, slots=True)
class JsonPattern:
    """A message that is not a JSON object or array matches nothing."""

    condition: Condition[Any]
    selectors: tuple[Selector, ...]

    def matches(self, message: str) -> bool:
        document = _decode(message)
        return document is not None and self.condition(document)

    def extract(self, message: str) -> Mapping[str, str]:
        document = _decode(message)
        values: dict[str, str] = {}
        for selector in self.selectors:
            for node in selector.select(document):
                if _is_value(node):
                    values.setdefault(selector.text, as_text(node))
        return values


class _JsonParser(Parser[Any]):
    def __init__(self, found: list[Token]) -> None:
        super().__init__(found)
        self.selectors: list[Selector] = []

    def comparison(self) -> Condition[Any]:
        token = self.take()
        if token.kind is not Kind.SELECTOR:
            raise unexpected(token)
        selector = Selector.parse(token.text)
        self.selectors.append(selector)
        if self._accept_word("IS"):
            return self._is(selector)
        if self._accept_word("NOT"):
            if not self._accept_word("EXISTS"):
                raise unexpected(self.peek())
            return lambda document: not any(True for _ in selector.select(document))
        operator = self.operator()
        operand = self.operand(operator)
        # Objects, arrays and null are no values: neither = nor != holds for them, nor for what is missing.
        return lambda document: any(
            compare(node, operator, operand) for node in selector.select(document) if _is_value(node)
        )

    def _is(self, selector: Selector) -> Condition[Any]:
        token = self.take()
        if token.kind is not Kind.WORD or token.text.upper() not in _NAMED_VALUES:
            raise unexpected(token)
        wanted = _NAMED_VALUES[token.text.upper()]
        return lambda document: any(node is wanted for node in selector.select(document))

    def _accept_word(self, word: str) -> bool:
        token = self.peek()
        if token.kind is Kind.WORD and token.text.upper() == word:
            self.take()
            return True
        return False


def _decode(message: str) -> dict[str, Any] | list[Any] | None:
    if message.lstrip()[:1] not in ("{", "["):
        return None
    try:
        document = orjson.loads(message)
    except ValueError:  # not JSON, too deep, or a lone surrogate: not a message this pattern is about
        return None
    assert isinstance(document, dict | list)
    return document


def _is_value(node: Any) -> bool:
    return isinstance(node, str | int | float)
