"""Why bytes are not JSON, in the words of the parser that AWS's answers quote (Jackson's, for UTF-8).

Source: https://github.com/FasterXML/jackson-core, whose messages answers of Lambda were seen to contain.
"""

import re
import unicodedata

_LONGEST_READ = 256 * 1024
"""Beyond it the parser's own words are good enough: this one takes its time, on the event loop."""

_LONGEST_TOKEN = 256

_SOURCE = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
"""In the place of the text itself, which AWS has shown until 2025."""
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_STRING_START = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_SCALAR = re.compile(
    rb"(?:true|false|null)(?![\w$])|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.])"
)


class _FaultError(Exception):
    """`at`: how many bytes the parser had read, without the last one where that is what it cannot take."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def why_not_json(body: bytes, error: Exception) -> str:
    """`error`: what the parser that refused it said, which is told where nothing better is known."""
    if len(body) > _LONGEST_READ:
        return str(error)
    try:
        reader = _Reader(body)
        reader.read()
        if isinstance(error, UnicodeDecodeError):
            reader.require_character(error.start)
    except _FaultError as fault:
        return f"{fault}\n at {_place(body, fault.at)}"
    return str(error)


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._open: list[tuple[str, int]] = []
        """Of each container around: "Object" or "Array", and where it starts."""
        self._opened = False
        """Whether the innermost has only been opened."""

    def read(self) -> None:
        at = self._value(self._skip(0))
        while self._open:
            kind, _ = self._open[-1]
            at = self._skip(at)
            if at == len(self._body):
                self._end_of_input()
            elif self._body[at] in b"]}":
                at = self._close(at)
            elif self._opened:
                at = self._entry(at)
            elif self._body[at] == ord(","):
                at = self._entry(self._skip(at + 1))
            else:
                raise self._unexpected(at, f"was expecting comma to separate {kind} entries")

    def _entry(self, at: int) -> int:
        """A value, with its name in an object."""
        kind, _ = self._open[-1]
        if kind == "Array":
            return self._value(at)
        if at < len(self._body) and self._body[at] != ord('"'):
            raise self._unexpected(at, "was expecting double-quote to start field name")
        at = self._skip(self._string(at, "name"))
        if at < len(self._body) and self._body[at] != ord(":"):
            raise self._unexpected(at, "was expecting a colon to separate field name and value")
        return self._value(self._skip(at + 1))

    def _value(self, at: int) -> int:
        """Of a container, the start only."""
        if at >= len(self._body):
            self._end_between()
        first = chr(self._body[at])
        self._opened = first in "{["
        if self._opened:
            self._open.append(("Object" if first == "{" else "Array", at))
            return at + 1
        if first == '"':
            return self._string(at, "string value")
        if scalar := _SCALAR.match(self._body, at):
            return scalar.end()
        if first in "-0123456789":
            raise _FaultError("Invalid numeric value", at + 1)
        if first.isidentifier() or first == "$":
            raise self._unrecognized(at)
        raise _FaultError(f"Unexpected character ({_described(first)}): expected a valid value {_VALUES}", at)

    def _string(self, at: int, what: str) -> int:
        if at >= len(self._body):
            self._end_between()
        if whole := _STRING.match(self._body, at):
            return whole.end()
        started = _STRING_START.match(self._body, at)
        end = at + 1 if started is None else started.end()
        rest = self._body[end : end + 2]
        if rest[:1] == b"\\" and len(rest) == 2 and rest[1:] not in b'"\\/bfnrtu':
            raise _FaultError(f"Unrecognized character escape {_described(chr(rest[1]))}", end + 1)
        if rest and rest[0] < 0x20:
            raise _FaultError(
                f"Illegal unquoted character ({_described(chr(rest[0]))}): "
                f"has to be escaped using backslash to be included in {what}",
                end,
            )
        where = " in field name" if what == "name" else ": was expecting closing quote for a string value"
        raise _FaultError(f"Unexpected end-of-input{where}", len(self._body))

    def _close(self, at: int) -> int:
        kind, start = self._open[-1]
        marker = chr(self._body[at])
        own = "}" if kind == "Object" else "]"
        if marker != own:
            place = _place(self._body, start)
            raise _FaultError(
                f"Unexpected close marker '{marker}': expected '{own}' (for {kind} starting at {place})",
                at,
            )
        self._open.pop()
        self._opened = False
        return at + 1

    def _skip(self, at: int) -> int:
        space = _SPACE.match(self._body, at)
        return at if space is None else space.end()

    def _unexpected(self, at: int, expected: str) -> _FaultError:
        character, size = self.require_character(at)
        return _FaultError(f"Unexpected character ({_described(character)}): {expected}", at + size - 1)

    def _unrecognized(self, start: int) -> _FaultError:
        at, token = start, ""
        while at < len(self._body) and len(token) < _LONGEST_TOKEN:
            character, size = self.require_character(at)
            at += size
            if not (f"a{character}".isidentifier() or character == "$"):
                break
            token += character
        else:
            token += "..." if len(token) >= _LONGEST_TOKEN else ""
        return _FaultError(f"Unrecognized token '{token}': was expecting {_VALUES}", at)

    def require_character(self, at: int) -> tuple[str, int]:
        """The character there, and how many bytes it has. Raises _FaultError where it is not UTF-8."""
        first = self._body[at]
        size = 1 if first < 0x80 else 2 if 0xC0 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4
        if 0x80 <= first < 0xC0 or first >= 0xF8:
            raise _FaultError(f"Invalid UTF-8 start byte 0x{first:x}", at + 1)
        for later in range(at + 1, at + size):
            if later < len(self._body) and not 0x80 <= self._body[later] < 0xC0:
                raise _FaultError(f"Invalid UTF-8 middle byte 0x{self._body[later]:x}", later + 1)
        return self._body[at : at + size].decode("utf-8", "replace"), size

    def _end_of_input(self) -> None:
        kind, start = self._open[-1]
        place = _place(self._body, start)
        raise _FaultError(
            f"Unexpected end-of-input: expected close marker for {kind} (start marker at {place})",
            len(self._body),
        )

    def _end_between(self) -> None:
        if not self._open:
            raise _FaultError("No content to map due to end-of-input", len(self._body))
        raise _FaultError(
            f"Unexpected end-of-input within/between {self._open[-1][0]} entries", len(self._body)
        )


def _place(body: bytes, at: int) -> str:
    line = body.count(b"\n", 0, at) + 1
    column = at - (body.rfind(b"\n", 0, at) + 1) + 1
    return f"[Source: {_SOURCE}; line: {line}, column: {column}]"


def _described(character: str) -> str:
    code = ord(character[0])
    if unicodedata.category(character[0]) == "Cc":
        return f"(CTRL-CHAR, code {code})"
    more = f" / 0x{code:x}" if code > 255 else ""
    return f"'{character}' (code {code}{more})"
