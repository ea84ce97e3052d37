"""Splits a query into tokens, one at a time: only who reads them knows whether `/` divides or begins an expression."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from lambent.services.logs.insights.errors import MalformedQueryError


class Kind(Enum):
    NAME = auto()
    NUMBER = auto()
    PERIOD = auto()
    STRING = auto()
    SYMBOL = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what it stands for: a name without its backticks, a string without quotes and escapes."""

    kind: Kind
    text: str
    start: int
    end: int
    quoted: bool = False
    """A name in backticks is never a keyword."""


_BLANK = re.compile(r"(?:\s+|#[^\n]*)+")
_TOKEN = re.compile(
    r"""`(?P<QUOTED>[^`]+)`
      | (?P<PERIOD>\d+[A-Za-z]+)(?![\w.])
      | (?P<NUMBER>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<NAME>[@$]?[^\W\d]\w*(?:[.]\w+|[.]@\w+)*)
      | "(?P<DOUBLE>(?:\\.|[^"\\])*)"
      | '(?P<SINGLE>(?:\\.|[^'\\])*)'
      | (?P<SYMBOL>!=|<=|>=|=~|[|,()\[\]=<>+\-*/%^])
    """,
    re.VERBOSE | re.DOTALL,
)
_EXPRESSION = re.compile(r"/((?:\\.|[^/\\\n])*)/", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


class Scanner:
    def __init__(self, query: str) -> None:
        self.query = query
        self._position = 0
        self._next: Token | None = None
        self.last_end = 0
        """Where the last token that was taken ended."""

    def peek(self) -> Token:
        """Raises MalformedQueryError where no token begins."""
        if self._next is None:
            self._next = self._scan()
        return self._next

    def take(self) -> Token:
        token = self.peek()
        self._position, self.last_end, self._next = token.end, token.end, None
        return token

    def begins_expression(self) -> bool:
        return self.query.startswith("/", self._skip_blank(self._position))

    def expression(self) -> tuple[str, int, int] | None:
        """A /regular expression/ that begins here, taken: its text and where it is."""
        self._next = None
        start = self._skip_blank(self._position)
        match = _EXPRESSION.match(self.query, start)
        if match is None:
            return None
        self._position = self.last_end = match.end()
        return match[1].replace(r"\/", "/"), start, match.end()

    def _skip_blank(self, position: int) -> int:
        blank = _BLANK.match(self.query, position)
        return position if blank is None else blank.end()

    def _scan(self) -> Token:
        start = self._skip_blank(self._position)
        if start == len(self.query):
            return Token(Kind.END, "", start, start)
        match = _TOKEN.match(self.query, start)
        if match is None:
            raise MalformedQueryError.unexpected(self.query, start, start + 1)
        kind = match.lastgroup
        assert kind is not None
        text = match[kind]
        if kind == "QUOTED":
            return Token(Kind.NAME, text, start, match.end(), quoted=True)
        if kind in ("DOUBLE", "SINGLE"):
            return Token(Kind.STRING, _unescaped(text), start, match.end())
        return Token(Kind[kind], text, start, match.end())


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text)
