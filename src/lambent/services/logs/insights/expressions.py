"""The grammar of expressions, by recursive descent: or, and, not, comparisons, + -, * / %, ^, signs."""

from dataclasses import replace

from lambent.services.logs.insights.errors import MalformedQueryError
from lambent.services.logs.insights.periods import UNITS
from lambent.services.logs.insights.scanner import Kind, Scanner
from lambent.services.logs.insights.syntax import (
    Binary,
    Call,
    Constant,
    Expression,
    Field,
    In,
    Like,
    Pattern,
    Period,
    Unary,
)

_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "as", "by", "asc", "desc"})
_DEPTH_MOST = 100


class ExpressionParser:
    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self._depth = 0

    def expression(self) -> Expression:
        left = self._both()
        while self.accept_word("or"):
            left = self._binary("or", left, self._both())
        return left

    def _both(self) -> Expression:
        left = self._negated()
        while self.accept_word("and"):
            left = self._binary("and", left, self._negated())
        return left

    def _negated(self) -> Expression:
        start = self.scanner.peek().start
        if self.accept_word("not"):
            self._deeper()
            operand = self._negated()
            self._depth -= 1
            return Unary(operator="not", operand=operand, start=start, end=operand.end)
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        token = self.scanner.peek()
        if token.kind is Kind.SYMBOL and token.text in _COMPARISONS:
            self.scanner.take()
            return self._binary(token.text, left, self._sum())
        if self.accept("=~"):
            return self._like(left)
        negated = self._word() == "not"
        if negated:
            self.scanner.take()
        if self.accept_word("like"):
            return self._perhaps_not(negated, self._like(left))
        if self.accept_word("in"):
            return self._perhaps_not(negated, self._in(left))
        if negated:
            raise self.unexpected()
        return left

    def _like(self, subject: Expression) -> Like:
        pattern = self.pattern()
        return Like(subject=subject, pattern=pattern, start=subject.start, end=pattern.end)

    def _in(self, subject: Expression) -> In:
        self.expect("[")
        choices: list[Expression] = []
        while not self.accept("]"):
            if choices:
                self.expect(",")
            choices.append(self._sum())
        return In(subject=subject, choices=tuple(choices), start=subject.start, end=self.scanner.last_end)

    def _perhaps_not(self, negated: bool, inside: Expression) -> Expression:
        if not negated:
            return inside
        return Unary(operator="not", operand=inside, start=inside.start, end=inside.end)

    def _sum(self) -> Expression:
        left = self._product()
        while (symbol := self._symbol("+-")) is not None:
            left = self._binary(symbol, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._power()
        while (symbol := self._symbol("*/%")) is not None:
            left = self._binary(symbol, left, self._power())
        return left

    def _power(self) -> Expression:
        left = self._signed()
        if self._symbol("^") is None:
            return left
        self._deeper()
        right = self._power()
        self._depth -= 1
        return self._binary("^", left, right)

    def _signed(self) -> Expression:
        start = self.scanner.peek().start
        if not self.accept("-"):
            return self.primary()
        self._deeper()
        operand = self._signed()
        self._depth -= 1
        return Unary(operator="-", operand=operand, start=start, end=operand.end)

    def primary(self) -> Expression:
        token = self.scanner.peek()
        at = {"start": token.start, "end": token.end}
        if token.kind is Kind.STRING:
            return Constant(value=self.scanner.take().text, **at)
        if token.kind is Kind.NUMBER:
            self.scanner.take()
            value = float(token.text)
            return Constant(value=int(token.text) if token.text.isdecimal() else value, **at)
        if token.kind is Kind.PERIOD:
            return self._period()
        if token.kind is Kind.NAME and (token.quoted or token.text.lower() not in _KEYWORDS):
            self.scanner.take()
            if not token.quoted and self.scanner.peek().text == "(" and self.accept("("):
                return self._call(token.text.lower(), token.start)
            return Field(name=token.text, **at)
        if self.accept("("):
            self._deeper()
            inside = self.expression()
            self._depth -= 1
            self.expect(")")
            return replace(inside, start=token.start, end=self.scanner.last_end)
        raise self.unexpected()

    def _period(self) -> Period:
        token = self.scanner.peek()
        digits = token.text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        unit = UNITS.get(token.text[len(digits) :].lower())
        if unit is None or not 0 < int(digits) < 10**9:
            raise self.unexpected()
        self.scanner.take()
        return Period(count=int(digits), unit=unit, start=token.start, end=token.end)

    def _call(self, name: str, start: int) -> Call:
        self._deeper()
        arguments: list[Expression] = []
        if name in ("count", "count_over_time") and self.accept("*"):
            self.expect(")")
        else:
            while not self.accept(")"):
                if arguments:
                    self.expect(",")
                arguments.append(self._argument())
        self._depth -= 1
        return Call(name=name, arguments=tuple(arguments), start=start, end=self.scanner.last_end)

    def _argument(self) -> Expression:
        if self.scanner.begins_expression():
            return self.pattern()
        return self.expression()

    def pattern(self) -> Pattern | Constant:
        """/…/, or text in quotes."""
        found = self.scanner.expression() if self.scanner.begins_expression() else None
        if found is not None:
            expression, start, end = found
            return Pattern(expression=expression, start=start, end=end)
        token = self.scanner.peek()
        if token.kind is not Kind.STRING:
            raise self.unexpected()
        self.scanner.take()
        return Constant(value=token.text, start=token.start, end=token.end)

    def name(self) -> str:
        token = self.scanner.peek()
        if token.kind is not Kind.NAME:
            raise self.unexpected()
        return self.scanner.take().text

    def accept(self, symbol: str) -> bool:
        return self._symbol((symbol,)) is not None

    def expect(self, symbol: str) -> None:
        if not self.accept(symbol):
            raise self.unexpected()

    def accept_word(self, word: str) -> bool:
        if self._word() != word:
            return False
        self.scanner.take()
        return True

    def unexpected(self) -> MalformedQueryError:
        token = self.scanner.peek()
        return MalformedQueryError.unexpected(self.scanner.query, token.start, token.end)

    def _word(self) -> str:
        token = self.scanner.peek()
        return token.text.lower() if token.kind is Kind.NAME and not token.quoted else ""

    def _symbol(self, among: str | tuple[str, ...]) -> str | None:
        token = self.scanner.peek()
        if token.kind is not Kind.SYMBOL or token.text not in among:
            return None
        return self.scanner.take().text

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEPTH_MOST:
            raise MalformedQueryError("the query is nested too deeply", 0, len(self.scanner.query))

    @staticmethod
    def _binary(operator: str, left: Expression, right: Expression) -> Binary:
        return Binary(operator=operator, left=left, right=right, start=left.start, end=right.end)
