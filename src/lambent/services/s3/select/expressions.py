"""Expressions, read into functions of a row: by how tightly their operators bind."""

from lambent.services.s3.select.errors import ParseUnexpectedToken, ParseUnsupportedSyntax
from lambent.services.s3.select.functions import AGGREGATES, Aggregate, Evaluate, call
from lambent.services.s3.select.query import Row, Step, follow
from lambent.services.s3.select.tokens import Token
from lambent.services.s3.select.values import (
    COMPARISONS,
    MISSING,
    calculate,
    cast,
    compare,
    is_absent,
    like,
    text_of,
)

_RESERVED = (
    *(
        "AND",
        "AS",
        "BETWEEN",
        "BY",
        "CASE",
        "CAST",
        "ELSE",
        "END",
        "ESCAPE",
        "FROM",
        "GROUP",
        "IN",
        "IS",
        "LIKE",
    ),
    *("LIMIT", "NOT", "OR", "ORDER", "SELECT", "THEN", "WHEN", "WHERE"),
)
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None, "MISSING": MISSING}


class TokenReader:
    """A place within tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, further: int) -> Token:
        return self.tokens[min(self.at + further, len(self.tokens) - 1)]

    def next(self) -> Token:
        token = self.token
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def take_word(self, *words: str) -> bool:
        taken = self.token.is_word(*words)
        self.at += taken
        return taken

    def take_sign(self, *signs: str) -> bool:
        taken = self.token.is_sign(*signs)
        self.at += taken
        return taken

    def expect_word(self, word: str) -> None:
        if not self.take_word(word):
            raise ParseUnexpectedToken()

    def expect_sign(self, sign: str) -> None:
        if not self.take_sign(sign):
            raise ParseUnexpectedToken()

    def take_name(self) -> str:
        if self.token.kind != "name" and (self.token.kind != "word" or self.token.is_word(*_RESERVED)):
            raise ParseUnexpectedToken()
        return self.next().value


class ExpressionParser(TokenReader):
    """`aggregates` are collected on the way: their values are there when all rows were seen."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.aggregates: list[Aggregate] = []
        self._alias: str | None = None

    def take_alias(self, behind: tuple[str, ...]) -> None:
        if self.token.is_word(*behind):
            return
        if self.token.is_word("GROUP", "ORDER"):
            raise ParseUnsupportedSyntax()
        self._alias = self.take_name()

    def is_alias(self, token: Token) -> bool:
        if token.kind not in ("word", "name"):
            return False
        return token.value == self._alias or token.value.upper() in ("S3OBJECT", (self._alias or "").upper())

    def expression(self) -> Evaluate:
        left = self._conjunction()
        while self.take_word("OR"):
            left = _either(left, self._conjunction())
        return left

    def _conjunction(self) -> Evaluate:
        left = self._negation()
        while self.take_word("AND"):
            left = _both(left, self._negation())
        return left

    def _negation(self) -> Evaluate:
        return _not(self._negation()) if self.take_word("NOT") else self._condition()

    def _condition(self) -> Evaluate:
        left = self._sum()
        while True:
            if self.token.is_sign(*COMPARISONS):
                left = _compared(self.next().value, left, self._sum())
            elif self.take_word("IS"):
                left = self._is(left)
            else:
                negated = self.token.is_word("NOT") and self.peek(1).is_word("IN", "LIKE", "BETWEEN")
                self.at += negated
                found = self._membership(left)
                if found is None:
                    return left
                left = _not(found) if negated else found

    def _is(self, left: Evaluate) -> Evaluate:
        negated = self.take_word("NOT")
        if self.take_word("NULL"):
            return lambda row: is_absent(left(row)) is not negated
        self.expect_word("MISSING")
        return lambda row: (left(row) is MISSING) is not negated

    def _membership(self, left: Evaluate) -> Evaluate | None:
        if self.take_word("BETWEEN"):
            low = self._sum()
            self.expect_word("AND")
            return _both(_compared(">=", left, low), _compared("<=", left, self._sum()))
        if self.take_word("LIKE"):
            pattern = self._sum()
            escape = self._sum() if self.take_word("ESCAPE") else lambda row: None
            return lambda row: like(left(row), pattern(row), escape(row))
        if self.take_word("IN"):
            self.expect_sign("(")
            found = _compared("=", left, self.expression())
            while self.take_sign(","):
                found = _either(found, _compared("=", left, self.expression()))
            self.expect_sign(")")
            return found
        return None

    def _sum(self) -> Evaluate:
        left = self._product()
        while self.token.is_sign("+", "-", "||"):
            sign = self.next().value
            left = _calculated(sign, left, self._product())
        return left

    def _product(self) -> Evaluate:
        left = self._signed()
        while self.token.is_sign("*", "/", "%"):
            sign = self.next().value
            left = _calculated(sign, left, self._signed())
        return left

    def _signed(self) -> Evaluate:
        if self.take_sign("-"):
            return _calculated("-", lambda row: 0, self._signed())
        self.take_sign("+")
        return self._primary()

    def _primary(self) -> Evaluate:
        token = self.token
        if self.take_sign("("):
            inner = self.expression()
            self.expect_sign(")")
            return inner
        if token.kind in ("text", "number") or token.is_word(*_CONSTANTS):
            return _constant(self.next())
        if self.take_word("CASE"):
            return self._case()
        if token.kind == "word" and self.peek(1).is_sign("("):
            return self._call()
        return self._path()

    def _case(self) -> Evaluate:
        of = None if self.token.is_word("WHEN") else self.expression()
        branches = []
        while self.take_word("WHEN"):
            when = self.expression()
            self.expect_word("THEN")
            branches.append((when if of is None else _compared("=", of, when), self.expression()))
        otherwise = self.expression() if self.take_word("ELSE") else lambda row: None
        self.expect_word("END")
        return lambda row: next((then for when, then in branches if when(row) is True), otherwise)(row)

    def _call(self) -> Evaluate:
        name = self.next().value.upper()
        self.expect_sign("(")
        if name in AGGREGATES:
            of = None if name == "COUNT" and self.take_sign("*") else self.expression()
            self.expect_sign(")")
            aggregate = Aggregate(name, of)
            self.aggregates.append(aggregate)
            return lambda row: aggregate.result()
        if name == "CAST":
            value = self.expression()
            self.expect_word("AS")
            kind = self.take_name().lower()
            self.expect_sign(")")
            return lambda row: cast(value(row), kind)
        arguments: list[Evaluate] = []
        while not self.take_sign(")"):
            if arguments and not (self.take_sign(",") or self.take_word("FROM", "FOR")):
                raise ParseUnexpectedToken()
            arguments.append(self.expression())
        return call(name, arguments)

    def _path(self) -> Evaluate:
        """Of the row: by its alias, or by the name of a member."""
        if self.is_alias(self.token):
            self.at += 1
            steps = self.steps()
            if not steps or steps[0].name is None:
                return lambda row: follow(row.value, steps)
            return lambda row: follow(row.members, steps)
        exact = self.token.kind == "name"
        path = [Step(name=self.take_name(), exact=exact), *self.steps()]
        return lambda row: follow(row.members, path)

    def steps(self) -> list[Step]:
        found: list[Step] = []
        while True:
            if self.take_sign("."):
                exact = self.token.kind == "name"
                found.append(Step(name=self.take_name(), exact=exact))
            elif self.take_sign("["):
                found.append(self._subscript())
                self.expect_sign("]")
            else:
                return found

    def _subscript(self) -> Step:
        if self.take_sign("*"):
            return Step()
        token = self.next()
        if token.kind == "number" and token.value.isdigit():
            return Step(index=int(token.value))
        if token.kind == "text":
            return Step(name=token.value, exact=True)
        raise ParseUnexpectedToken()

    def path_name(self, start: int) -> str | None:
        """What a column is called that begins there and is a path to a member."""
        read = self.tokens[start : self.at]
        plain = all(token.kind in ("word", "name") or token.is_sign(".") for token in read)
        return read[-1].value if plain and not (len(read) == 1 and self.is_alias(read[0])) else None


def _constant(token: Token) -> Evaluate:
    value: object = token.value
    if token.kind == "number":
        value = int(token.value) if token.value.isdigit() else float(token.value)
    elif token.kind == "word":
        value = _CONSTANTS[token.value.upper()]
    return lambda row: value


def _compared(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda row: compare(sign, left(row), right(row))


def _calculated(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if sign == "||":
        return lambda row: _joined(left(row), right(row))
    return lambda row: calculate(sign, left(row), right(row))


def _joined(left: object, right: object) -> object:
    return None if is_absent(left) or is_absent(right) else text_of(left) + text_of(right)


def _not(of: Evaluate) -> Evaluate:
    def negated(row: Row) -> bool | None:
        value = of(row)
        return not value if isinstance(value, bool) else None

    return negated


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    def both(row: Row) -> bool | None:
        first = left(row)
        if first is False:
            return False
        second = right(row)
        if second is False:
            return False
        return True if first is True and second is True else None

    return both


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    def either(row: Row) -> bool | None:
        first = left(row)
        if first is True:
            return True
        second = right(row)
        if second is True:
            return True
        return False if first is False and second is False else None

    return either
