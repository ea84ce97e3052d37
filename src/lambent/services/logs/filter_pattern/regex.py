"""The regular expressions of filter patterns, searched in time linear in the text.

The language has no groups and no back references, so an expression is a choice of sequences of repeated
character classes. Such a sequence needs one bit per position: a set of positions is an integer, and one
character moves the whole set by a few operations on it. Python's `re` backtracks: `.*.*.*.*x` from a caller
would stop the server.
"""

import re
import string
from dataclasses import dataclass

from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError

_LITERALS = frozenset(string.ascii_letters + string.digits + ":_#=@/;,- ")
_OPERATORS = frozenset("^$?[]{}|\\*+.")
_CLASSES = {
    "d": frozenset(string.digits),
    "s": frozenset(string.whitespace),
    "w": frozenset(string.ascii_letters + string.digits + "_"),
}
_COUNTS = re.compile(r"\s*(?P<least>[0-9]{0,3})\s*(?:(?P<comma>,)\s*(?P<most>[0-9]{0,3})\s*)?")
_POSITIONS_MOST = 512
_REMEMBERED_MOST = 4096
_ASCII = frozenset(map(chr, range(0x80)))
_BEYOND_ASCII = "\x80"


@dataclass(frozen=True, slots=True)
class _Characters:
    """A set of ASCII characters, or everything but them. No set tells characters beyond ASCII apart."""

    members: frozenset[str]
    negated: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.members) != self.negated


@dataclass(frozen=True, slots=True)
class _Repeated:
    characters: _Characters
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, slots=True)
class _Sequence:
    items: tuple[_Repeated, ...]
    from_start: bool
    to_end: bool


class Regex:
    """Says whether an expression matches anywhere in a text. Making it raises InvalidFilterPatternError."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._positions: list[_Characters | None] = []
        self._optional = 0
        self._looping = 0
        self._accept_anywhere = 0
        self._accept_at_end = 0
        self._starts = 0
        self._restarts = 0
        for sequence in _Parser(expression).parse():
            self._add(sequence)
        if len(self._positions) > _POSITIONS_MOST:
            raise InvalidFilterPatternError.because("the regular expression repeats too often")
        self._starts = self._skip_optional(self._starts)
        self._restarts = self._skip_optional(self._restarts)
        self._consuming: dict[str, int] = {}
        self._moves: dict[tuple[int, str], int] = {}

    def search(self, text: str) -> bool:
        state = self._starts
        if state & self._accept_anywhere:
            return True
        moves = self._moves
        for character in text:
            if character > "\x7f":
                character = _BEYOND_ASCII  # noqa: PLW2901 - one class, one entry
            move = moves.get((state, character))
            if move is None:
                move = self._move(state, character)
            if move & self._accept_anywhere:
                return True
            state = move
        return bool(state & self._accept_at_end)

    def _add(self, sequence: _Sequence) -> None:
        """Lays a sequence out as positions of the bit set: one per repetition, and one that accepts."""
        start = 1 << len(self._positions)
        self._starts |= start
        if not sequence.from_start:
            self._restarts |= start
        for item in sequence.items:
            if len(self._positions) > _POSITIONS_MOST:
                return
            self._positions.extend([item.characters] * item.least)
            if item.most is None:
                here = 1 << len(self._positions)
                self._looping |= here
                self._optional |= here
                self._positions.append(item.characters)
            else:
                for _ in range(item.most - item.least):
                    self._optional |= 1 << len(self._positions)
                    self._positions.append(item.characters)
        accept = 1 << len(self._positions)
        self._positions.append(None)
        self._accept_at_end |= accept
        if not sequence.to_end:
            self._accept_anywhere |= accept

    def _move(self, state: int, character: str) -> int:
        consuming = self._consuming.get(character)
        if consuming is None:
            consuming = self._consuming[character] = sum(
                1 << at
                for at, characters in enumerate(self._positions)
                if characters is not None and character in characters
            )
        taken = state & consuming
        move = self._skip_optional(((taken & ~self._looping) << 1) | (taken & self._looping)) | self._restarts
        if len(self._moves) >= _REMEMBERED_MOST:
            self._moves.clear()
        self._moves[state, character] = move
        return move

    def _skip_optional(self, state: int) -> int:
        """Adds what is reached by leaving out optional positions: in each run of them, a carry ripples from
        the first active one to the position behind the run."""
        optional = self._optional
        return state | (((state & optional) + optional) ^ optional)


class _Parser:
    def __init__(self, expression: str) -> None:
        self._rest = list(reversed(expression))

    def parse(self) -> list[_Sequence]:
        sequences = [self._sequence()]
        while self._rest:
            self._rest.pop()  # the bar that ended the sequence
            sequences.append(self._sequence())
        return sequences

    def _peek(self) -> str:
        return self._rest[-1] if self._rest else ""

    def _take(self) -> str:
        if not self._rest:
            raise InvalidFilterPatternError.because("the regular expression ends too early")
        return self._rest.pop()

    def _sequence(self) -> _Sequence:
        from_start = self._peek() == "^" and bool(self._take())
        items: list[_Repeated] = []
        while self._rest and self._peek() != "|":
            if self._peek() == "$":
                self._take()
                if self._peek() not in ("", "|"):
                    raise InvalidFilterPatternError.in_term("$")
                return _Sequence(tuple(items), from_start, True)
            items.append(self._repeated(self._one()))
        return _Sequence(tuple(items), from_start, False)

    def _one(self) -> _Characters:
        character = self._take()
        if character == ".":
            return _Characters(frozenset(), negated=True)
        if character == "[":
            return self._bracketed()
        if character == "\\":
            return self._escaped()
        if character not in _LITERALS:
            raise InvalidFilterPatternError.in_term(character)
        return _Characters(frozenset(character))

    def _escaped(self) -> _Characters:
        character = self._take()
        if character == "x":
            digits = self._take() + self._take()
            if not set(digits) <= set(string.hexdigits) or int(digits, 16) > 0x7F:
                raise InvalidFilterPatternError.in_term(f"\\x{digits}")
            return _Characters(frozenset(chr(int(digits, 16))))
        if character.lower() in _CLASSES:
            return _Characters(_CLASSES[character.lower()], negated=character.isupper())
        if character not in _LITERALS | _OPERATORS or character.isalnum():
            raise InvalidFilterPatternError.in_term(f"\\{character}")
        return _Characters(frozenset(character))

    def _bracketed(self) -> _Characters:
        negated = self._peek() == "^" and bool(self._take())
        members: set[str] = set()
        while (character := self._take()) != "]":
            first = self._member(character)
            if self._peek() == "-" and len(self._rest) > 1 and self._rest[-2] != "]":
                self._take()
                members |= _range(first, self._member(self._take()))
            else:
                members |= first
        if not members:
            raise InvalidFilterPatternError.because("the regular expression has an empty character class")
        return _Characters(frozenset(members), negated)

    def _member(self, character: str) -> frozenset[str]:
        """What one item of a bracketed class stands for; `\\W` is taken within ASCII."""
        if character == "\\":
            escaped = self._escaped()
            return _ASCII - escaped.members if escaped.negated else escaped.members
        if character not in _LITERALS | _OPERATORS:
            raise InvalidFilterPatternError.in_term(character)
        return frozenset(character)

    def _repeated(self, characters: _Characters) -> _Repeated:
        least: int
        most: int | None
        match self._peek():
            case "?":
                least, most = 0, 1
            case "*":
                least, most = 0, None
            case "+":
                least, most = 1, None
            case "{":
                return self._counted(characters)
            case _:
                return _Repeated(characters)
        self._take()
        return _Repeated(characters, least, most)

    def _counted(self, characters: _Characters) -> _Repeated:
        self._take()
        inside = ""
        while (character := self._take()) != "}":
            inside += character
        found = _COUNTS.fullmatch(inside)
        if found is None or not (found["least"] or found["most"]):
            raise InvalidFilterPatternError.in_term("{" + inside + "}")
        least = int(found["least"] or 0)
        if found["comma"] is None:
            most: int | None = least
        else:
            most = int(found["most"]) if found["most"] else None
        if most is not None and least > most:
            raise InvalidFilterPatternError.in_term("{" + inside + "}")
        return _Repeated(characters, least, most)


def _range(first: frozenset[str], last: frozenset[str]) -> frozenset[str]:
    if len(first) != 1 or len(last) != 1 or min(first) > max(last):
        raise InvalidFilterPatternError.in_term(f"{min(first)}-{max(last)}")
    return frozenset(map(chr, range(ord(min(first)), ord(max(last)) + 1)))
