"""The grammar that JSON and space-delimited patterns share: comparisons under (), && and ||."""

from collections.abc import Callable
from typing import Generic, TypeVar

from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError
from lambent.services.logs.filter_pattern.lexer import END, Kind, Token
from lambent.services.logs.filter_pattern.operand import ORDER, Expression, Number, Operand, Text, number
from lambent.services.logs.filter_pattern.regex import Regex

T = TypeVar("T")
Condition = Callable[[T], bool]
"""Whether a decoded message (JSON) or a field (space-delimited) satisfies a part of the pattern."""

_DEPTH_MOST = 50
_REGEXES_MOST = 2


class Parser(Generic[T]):
    """Recursive descent over tokens; a subclass says what one comparison is."""

    def __init__(self, tokens: list[Token]) -> None:
        self._rest = tokens[::-1]
        self._depth = 0
        self._regexes = 0

    def comparison(self) -> Condition[T]:
        raise NotImplementedError

    def condition(self) -> Condition[T]:
        parts = [self._both()]
        while self.accept("||"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda subject: any(part(subject) for part in parts)

    def _both(self) -> Condition[T]:
        parts = [self._one()]
        while self.accept("&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda subject: all(part(subject) for part in parts)

    def _one(self) -> Condition[T]:
        if not self.accept("("):
            return self.comparison()
        self._depth += 1
        if self._depth > _DEPTH_MOST:
            raise InvalidFilterPatternError.because("too many parentheses inside each other")
        inside = self.condition()
        self.expect(")")
        self._depth -= 1
        return inside

    def operand(self, operator: str) -> Operand:
        token = self.take()
        if token.kind is Kind.REGEX:
            self._regexes += 1
            if self._regexes > _REGEXES_MOST:
                raise InvalidFilterPatternError.because(f"more than {_REGEXES_MOST} regular expressions")
            operand: Operand = Expression(Regex(token.text))
        elif token.kind is Kind.STRING:
            operand = Text(token.text)
        elif token.kind is Kind.WORD:
            value = number(token.text)
            operand = Text(token.text) if value is None else Number(value)
        else:
            raise unexpected(token)
        if operator in ORDER and not isinstance(operand, Number):
            raise InvalidFilterPatternError.because(
                f"'{operator}' compares with a number, not with '{token.text}'"
            )
        return operand

    def operator(self) -> str:
        token = self.take()
        if token.kind is not Kind.SYMBOL or (token.text not in ("=", "!=") and token.text not in ORDER):
            raise unexpected(token)
        return token.text

    def peek(self) -> Token:
        return self._rest[-1] if self._rest else END

    def take(self) -> Token:
        return self._rest.pop() if self._rest else END

    def accept(self, symbol: str) -> bool:
        if self.peek() == Token(Kind.SYMBOL, symbol):
            self._rest.pop()
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise unexpected(self.peek())

    def expect_end(self) -> None:
        if self._rest:
            raise unexpected(self.peek())


def unexpected(token: Token) -> InvalidFilterPatternError:
    what = "the pattern ends too early" if token.kind is Kind.END else f"'{token.text}' is not expected here"
    return InvalidFilterPatternError.because(what)
