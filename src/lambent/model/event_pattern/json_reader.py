"""JSON read token by token, so that what is wrong with a pattern can be said with its place.

AWS's messages end in a place, and clients show it: here it is counted as they count, which is behind the token that was
read last, or behind the opening quote of a string that nobody has looked into yet.
"""

import json
import re
from enum import Enum
from typing import Any, NoReturn

from lambent.model.event_pattern.invalid import InvalidPatternError

_BLANK = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"\w+")
_SHOWN = 500


class Token(Enum):
    START_OBJECT = "{"
    END_OBJECT = "}"
    START_ARRAY = "["
    END_ARRAY = "]"
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    END = ""


_BRACKETS = {token.value: token for token in Token if token.value and token.value in "{}[]"}


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class JsonReader:
    """`next` reads a token; `value` is then a name's text, or the value of a string, number or boolean."""

    def __init__(self, text: str, *, is_filter_policy: bool = False) -> None:
        self.is_filter_policy = is_filter_policy
        """Of SNS, which knows fewer expressions than EventBridge."""
        self.value: Any = None
        self._text = text
        self._end = 0
        """Behind the last token."""
        self._place = 0
        self._open: list[Token] = []
        self._pending: tuple[Token, Any, int, int] | None = None
        self._first = True
        """Whether nothing stands between this place and the last opening bracket."""

    def next(self) -> Token:
        """Raises InvalidPatternError where this is not JSON."""
        if self._pending is not None:
            token, self.value, self._place, self._end = self._pending
            self._pending = None
            return self._entered(token)
        if not self._open and not self._first:
            return Token.END
        self._skip_comma()
        inside_object = bool(self._open) and self._open[-1] is Token.START_OBJECT
        at = self._blank(self._end)
        if inside_object and self._text[at : at + 1] not in ('"', "}", ""):
            self._unexpected(at, "was expecting double-quote to start field name")
        token, self.value, self._place, self._end = self._scan(at)
        if token in (Token.END_OBJECT, Token.END_ARRAY):
            return self._left(token)
        return self._named() if inside_object else self._entered(token)

    def look(self) -> None:
        """Says that the text of the string that was read last has been looked into: its place is behind it."""
        self._place = self._end

    def refuse(self, reason: str, *, places: int = 1) -> NoReturn:
        """AWS says the place twice of what it finds in some lists, and not at all of what no JSON reader found."""
        raise InvalidPatternError(reason, *[self._place_of(self._place)] * places)

    def _named(self) -> Token:
        at = self._blank(self._end)
        if self._text[at : at + 1] != ":":
            self._unexpected(at, "was expecting a colon to separate field name and value")
        self._pending = self._scan(self._blank(at + 1))
        if self._pending[0] in (Token.END_OBJECT, Token.END_ARRAY):
            self._unexpected(self._pending[3] - 1, "expected a value")
        self._place = self._pending[2]
        return Token.NAME

    def _entered(self, token: Token) -> Token:
        opens = token in (Token.START_OBJECT, Token.START_ARRAY)
        if opens:
            self._open.append(token)
        self._first = opens
        return token

    def _left(self, token: Token) -> Token:
        opening = Token.START_OBJECT if token is Token.END_OBJECT else Token.START_ARRAY
        if not self._open or self._open.pop() is not opening:
            self._unexpected(self._end - 1, "expected a value")
        self._first = False
        return token

    def _skip_comma(self) -> None:
        if self._first:
            return
        at = self._blank(self._end)
        if self._text[at : at + 1] == ",":
            at = self._blank(at + 1)
            if self._text[at : at + 1] in ("}", "]"):
                self._unexpected(at, "was expecting a value or a name")
            self._end = at
        elif self._text[at : at + 1] not in ("}", "]"):
            self._unexpected(at, "was expecting comma to separate entries")

    def _scan(self, at: int) -> tuple[Token, Any, int, int]:
        """The token at this place, its value, the place behind what is read of it at first, and that behind it."""
        character = self._text[at : at + 1]
        if character in _BRACKETS:
            return _BRACKETS[character], None, at + 1, at + 1
        if not character:
            raise InvalidPatternError("Unexpected end-of-input", self._place_of(at))
        try:
            value, end = _DECODER.raw_decode(self._text, at)
        except ValueError:
            if word := _WORD.match(self._text, at):
                raise InvalidPatternError(
                    f"Unrecognized token '{word[0]}': was expecting "
                    "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
                    self._place_of(word.end()),
                ) from None
            self._unexpected(at, "expected a valid value")
        if isinstance(value, str):
            return Token.STRING, value, at + 1, end
        if isinstance(value, bool):
            return Token.BOOLEAN, value, end, end
        return (Token.NULL if value is None else Token.NUMBER), value, end, end

    def _blank(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        assert found is not None
        return found.end()

    def _unexpected(self, at: int, expected: str) -> NoReturn:
        character = self._text[at : at + 1]
        if not character:
            raise InvalidPatternError("Unexpected end-of-input", self._place_of(at))
        raise InvalidPatternError(
            f"Unexpected character ('{character}' (code {ord(character)})): {expected}",
            self._place_of(at),
        )

    def _place_of(self, at: int) -> str:
        before = self._text[:at]
        line = before.count("\n") + 1
        column = at - (before.rfind("\n") + 1) + 1
        shown = f'"{self._text[:_SHOWN]}"'
        if len(self._text) > _SHOWN:
            shown += f"[truncated {len(self._text) - _SHOWN} chars]"
        return f"[Source: (String){shown}; line: {line}, column: {column}]"
