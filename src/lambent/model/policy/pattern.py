"""Strings of a policy that may hold wildcards (`*`, `?`) and policy variables (`${aws:PrincipalAccount}`).

Wildcards become a regular expression of atomic groups, so that no pattern, however many stars it has, makes
matching slow: policies come from callers, and matching runs on the event loop.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Context = Mapping[str, tuple[str, ...]]
"""The condition keys of a request, in lower case (keys are case-insensitive), each with its values."""

_SPECIAL = re.compile(r"\$\{(?P<variable>[^}]*)\}|(?P<wildcard>[*?])")
_VARIABLE = re.compile(r"\s*(?P<key>[^,]*?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?")


class Wildcard(Enum):
    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    key: str
    default: str | None

    def resolve(self, context: Context) -> str | None:
        """Its value, if the request has exactly one; else the default."""
        values = context.get(self.key, ())
        return values[0] if len(values) == 1 else self.default


Piece = str | Wildcard | Variable


@dataclass(frozen=True, slots=True)
class Pattern:
    """A string to compare with. `matcher` is there where nothing must be filled in from the request."""

    text: str
    pieces: tuple[Piece, ...]
    ignore_case: bool
    matcher: re.Pattern[str] | None

    @classmethod
    def of(
        cls, text: str, *, variables: bool = True, wildcards: bool = True, ignore_case: bool = False
    ) -> "Pattern":
        """`variables` is for documents of version 2012-10-17; older ones take `${` literally."""
        pieces = _split(text, variables=variables, wildcards=wildcards)
        fixed = tuple(piece for piece in pieces if not isinstance(piece, Variable))
        matcher = _compile(fixed, ignore_case) if len(fixed) == len(pieces) else None
        return cls(text, pieces, ignore_case, matcher)

    @property
    def is_plain(self) -> bool:
        """Whether it has no wildcards and no variables: it matches its own text."""
        return self.pieces == (self.text,)

    def matches(self, value: str, context: Context) -> bool:
        """Whether it is all of `value`. A variable that the request does not have matches nothing."""
        matcher = self.matcher or self._fill(context)
        return matcher is not None and matcher.fullmatch(value) is not None

    def _fill(self, context: Context) -> re.Pattern[str] | None:
        filled: list[str | Wildcard] = []
        for piece in self.pieces:
            if isinstance(piece, Variable):
                value = piece.resolve(context)
                if value is None:
                    return None
                filled.append(value)
            else:
                filled.append(piece)
        return _compile(tuple(filled), self.ignore_case)


def _split(text: str, *, variables: bool, wildcards: bool) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    end = 0
    for special in _SPECIAL.finditer(text):
        piece = _special(special, variables=variables, wildcards=wildcards)
        if piece is None:
            continue
        pieces += [text[end : special.start()], piece]
        end = special.end()
    pieces.append(text[end:])
    return tuple(piece for piece in pieces if piece != "")


def _special(found: re.Match[str], *, variables: bool, wildcards: bool) -> Piece | None:
    """What stands at this place, or None where it is to be taken literally."""
    if found["wildcard"]:
        return Wildcard(found["wildcard"]) if wildcards else None
    if not variables:
        return None
    if found["variable"] in ("*", "?", "$"):
        return str(found["variable"])
    parsed = _VARIABLE.fullmatch(found["variable"])
    return Variable(parsed["key"].lower(), parsed["default"]) if parsed else None


def _compile(pieces: tuple[str | Wildcard, ...], ignore_case: bool) -> re.Pattern[str]:
    segments = [""]
    for piece in pieces:
        if piece is Wildcard.MANY:
            segments.append("")
        else:
            segments[-1] += "." if isinstance(piece, Wildcard) else re.escape(piece)
    first, *rest = segments
    expression = first
    if rest:
        # The leftmost place of a segment is as good as any later one, so the group is never tried again.
        expression += "".join(f"(?>.*?{middle})" for middle in rest[:-1] if middle) + ".*" + rest[-1]
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))
