"""An SQL expression in its words."""

import re
from dataclasses import dataclass
from typing import Literal

from lambent.services.s3.select.errors import LexerInvalidChar

Kind = Literal["word", "name", "text", "number", "sign", "end"]
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
  | (?P<name>"(?:[^"]|"")+"|`[^`]+`)
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_$]*)
  | (?P<sign><>|!=|<=|>=|\|\||[-+*/%=<>().,\[\];])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is without quotes; a `word` may be a keyword, a `name` was quoted and is none."""

    kind: Kind
    value: str

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.value.upper() in words

    def is_sign(self, *signs: str) -> bool:
        return self.kind == "sign" and self.value in signs


def tokens_of(expression: str) -> list[Token]:
    """Raises LexerInvalidChar. The last is of the kind `end`."""
    found: list[Token] = []
    at, end = 0, len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None:
            raise LexerInvalidChar()
        at = match.end()
        text = match[0].strip()
        if match["text"]:
            found.append(Token("text", text[1:-1].replace("''", "'")))
        elif match["name"]:
            found.append(Token("name", text[1:-1].replace('""', '"')))
        elif match["number"]:
            found.append(Token("number", text))
        else:
            found.append(Token("word" if match["word"] else "sign", text))
    return [*found, Token("end", "")]
