"""Terms: `ERROR "out of memory" -retry`, `?WARN ?ERROR`, `%regex%`. Case-sensitive, found anywhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError
from lambent.services.logs.filter_pattern.lexer import unescape
from lambent.services.logs.filter_pattern.regex import Regex

_TERM = re.compile(
    r"""\s* (?P<sign>[?-]?) \s*
        (?: "(?P<quoted>(?:\\.|[^"\\])*)" | %(?P<regex>[^%]+)% | (?P<word>\w+) )
        (?=\s|["%]|$)""",
    re.VERBOSE | re.DOTALL,
)
_WORD_START = re.compile(r"\s*[?-]?\s*\w*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Phrase:
    text: str

    def found_in(self, message: str) -> bool:
        return self.text in message


@dataclass(frozen=True, slots=True)
class Expression:
    regex: Regex

    def found_in(self, message: str) -> bool:
        return self.regex.search(message)


Term = Phrase | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsPattern:
    """Optional terms only count where no others are given, as AWS says."""

    included: tuple[Term, ...]
    excluded: tuple[Term, ...]
    optional: tuple[Term, ...]

    def matches(self, message: str) -> bool:
        if self.included or self.excluded:
            return all(term.found_in(message) for term in self.included) and not any(
                term.found_in(message) for term in self.excluded
            )
        return not self.optional or any(term.found_in(message) for term in self.optional)

    def extract(self, message: str) -> Mapping[str, str]:
        return {}


def parse(text: str) -> TermsPattern:
    """Raises InvalidFilterPatternError."""
    by_sign: dict[str, list[Term]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise InvalidFilterPatternError.in_term(_offender(text, position))
        by_sign[match["sign"]].append(_term(match))
        position = match.end()
    # A blank phrase is AWS's way to write "everything".
    included = tuple(term for term in by_sign[""] if not (isinstance(term, Phrase) and term.text.isspace()))
    return TermsPattern(included=included, excluded=tuple(by_sign["-"]), optional=tuple(by_sign["?"]))


def _term(match: "re.Match[str]") -> Term:
    if match["regex"]:
        return Expression(Regex(match["regex"]))
    if match["quoted"] == "":
        raise InvalidFilterPatternError.in_term('""')
    return Phrase(match["word"] or unescape(match["quoted"]))


def _offender(text: str, position: int) -> str:
    start = _WORD_START.match(text, position)
    assert start is not None
    return text[start.end() : start.end() + 1] or text[position:].strip()
