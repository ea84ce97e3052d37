"""Space-delimited patterns: `[ip, user, ..., status=4* && status!=404, bytes>100]`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError
from lambent.services.logs.filter_pattern.lexer import Kind, Token, tokens
from lambent.services.logs.filter_pattern.operand import compare
from lambent.services.logs.filter_pattern.parser import Condition, Parser, unexpected
from lambent.services.logs.filter_pattern.split import split

_ELLIPSIS = Token(Kind.WORD, "...")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the pattern. Without a name it is known by its position."""

    name: str = ""
    condition: Condition[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelimitedPattern:
    """Without an ellipsis `after` is None, and the last field takes the rest of the message."""

    before: tuple[Field, ...]
    after: tuple[Field, ...] | None

    def matches(self, message: str) -> bool:
        return all(
            field.condition is None or field.condition(value)
            for field, value in self._assign(message) or _NO_MATCH
        )

    def extract(self, message: str) -> Mapping[str, str]:
        return {
            f"${field.name or position}": value
            for position, (field, value) in enumerate(self._assign(message) or (), start=1)
        }

    def _assign(self, message: str) -> Sequence[tuple[Field, str]] | None:
        """Fields with their values, those under the ellipsis too; None where the message has too few."""
        if self.after is None:
            values = split(message, most=len(self.before))
            fields = self.before
        else:
            values = split(message)
            hidden = len(values) - len(self.before) - len(self.after)
            fields = self.before + (Field(),) * hidden + self.after
        return list(zip(fields, values, strict=True)) if len(fields) == len(values) else None


def _never(_: str) -> bool:
    return False


_NO_MATCH = ((Field(condition=_never), ""),)


def parse(inside: str) -> DelimitedPattern:
    """`inside` is what stands between the brackets. Raises InvalidFilterPatternError."""
    parser = _DelimitedParser(tokens(inside))
    before: list[Field] = []
    after: list[Field] | None = None
    while True:
        if parser.peek() == _ELLIPSIS:
            parser.take()
            if after is not None:
                raise InvalidFilterPatternError.because("more than one ellipsis")
            after = []
        else:
            (before if after is None else after).append(parser.field())
        if not parser.accept(","):
            break
    parser.expect_end()
    names = [field.name for field in [*before, *(after or ())] if field.name]
    if len(set(names)) != len(names):
        raise InvalidFilterPatternError.because("two fields have the same name")
    return DelimitedPattern(before=tuple(before), after=None if after is None else tuple(after))


class _DelimitedParser(Parser[str]):
    """Reads one field at a time; all comparisons of a field name that field."""

    def __init__(self, found: list[Token]) -> None:
        super().__init__(found)
        self._name = ""

    def field(self) -> Field:
        if self.peek().kind is Kind.END or self.peek() == Token(Kind.SYMBOL, ","):
            return Field()
        if len(self._rest) < 2 or self._rest[-2] == Token(Kind.SYMBOL, ","):
            return Field(name=self._field_name())
        self._name = ""
        return Field(condition=self.condition(), name=self._name)

    def comparison(self) -> Condition[str]:
        name = self._field_name()
        if self._name not in ("", name):
            raise InvalidFilterPatternError.because(
                f"the conditions of field '{self._name}' cannot name '{name}'"
            )
        self._name = name
        operator = self.operator()
        operand = self.operand(operator)
        return lambda value: compare(value, operator, operand)

    def _field_name(self) -> str:
        token = self.take()
        if token.kind is not Kind.WORD:
            raise unexpected(token)
        if not token.text.replace("-", "_").isidentifier():
            raise InvalidFilterPatternError.in_term(token.text)
        return token.text
