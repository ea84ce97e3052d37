"""Splits the inside of a JSON or space-delimited pattern into tokens."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError


class Kind(Enum):
    SELECTOR = auto()
    REGEX = auto()
    STRING = auto()
    SYMBOL = auto()
    WORD = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what the token stands for: a string without quotes and escapes, a regex without marks."""

    kind: Kind
    text: str


END = Token(Kind.END, "")

_TOKEN = re.compile(
    r"""(?P<SPACE>\s+)
      | (?P<SELECTOR>\$(?:\.[\w-]+|\.\*|\.?\['[^']*'\]|\[\d+\]|\[\*\])+)
      | %(?P<REGEX>[^%]+)%
      | "(?P<STRING>(?:\\.|[^"\\])*)"
      | (?P<SYMBOL>&&|\|\||!=|<=|>=|[=<>(),])
      | (?P<WORD>[\w.*+-]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def tokens(text: str) -> list[Token]:
    """Raises InvalidFilterPatternError at the first character that begins no token."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidFilterPatternError.in_term(text[position])
        position = match.end()
        assert match.lastgroup is not None
        if match.lastgroup != "SPACE":
            found.append(_token(Kind[match.lastgroup], match[match.lastgroup]))
    return found


def unescape(quoted: str) -> str:
    return _ESCAPE.sub(r"\1", quoted)


def _token(kind: Kind, text: str) -> Token:
    return Token(kind, unescape(text) if kind is Kind.STRING else text)
