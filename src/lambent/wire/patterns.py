"""The models' regular expressions, which are Java's, as Python's `re` reads them.

Java matches whole values and its \\w and \\d are ASCII; both are kept. Unicode categories (\\p{L}) become
explicit ranges, because `re` has no name for them.
"""

import re
import unicodedata
import warnings
from functools import cache
from itertools import groupby

_ASSIGNED_END = 0x323B0
"""Behind the last assigned character of planes 0 to 3; above lie only tags, selectors (plane 14) and private
use."""
_NAMED = {
    "ASCII": r"\x00-\x7F",
    "Print": r"\x20-\x7E",
    "Graph": r"\x21-\x7E",
    "Alpha": "a-zA-Z",
    "Alnum": "a-zA-Z0-9",
    "Digit": "0-9",
    "Upper": "A-Z",
    "Lower": "a-z",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r"\s",
    "XDigit": "0-9a-fA-F",
    "Cntrl": r"\x00-\x1F\x7F",
    "Blank": r" \t",
}
_SURROGATE_PAIR = re.compile(r"\\u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})")


class UnreadablePatternError(ValueError):
    """A pattern that `re` cannot read even after translation."""


@cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """For use with `fullmatch`. Raises UnreadablePatternError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(_translate(pattern), re.ASCII)
    except (re.error, KeyError, IndexError, RecursionError, OverflowError) as error:
        raise UnreadablePatternError(f"{pattern}: {error}") from error


def _translate(pattern: str) -> str:
    pattern = _SURROGATE_PAIR.sub(_join_surrogates, pattern)
    out: list[str] = []
    in_class = False
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            text, at = _translate_escape(pattern, at, in_class)
            out.append(text)
            continue
        if in_class:
            if char == "-" and _is_literal_hyphen(pattern, at):
                char = r"\-"
            elif char == "[":
                char = r"\["
            elif char == "]":
                in_class = False
        elif char == "[":
            in_class = True
            if pattern[at + 1 : at + 2] == "^":
                char, at = "[^", at + 1
        elif pattern.startswith("(?<", at) and pattern[at + 3 : at + 4] not in ("=", "!"):
            char, at = "(?P<", at + 2
        out.append(char)
        at += 1
    return "".join(out)


def _translate_escape(pattern: str, at: int, in_class: bool) -> tuple[str, int]:
    r"""The escape at `at` in Python's form, and where the pattern goes on."""
    following = pattern[at + 1]
    if following in "pP":
        if pattern[at + 2] == "{":
            end = pattern.index("}", at) if "}" in pattern[at:] else len(pattern)
            name, end = pattern[at + 3 : end], end + 1
        else:
            name, end = pattern[at + 2], at + 3
        ranges = _category_ranges(name.removeprefix("Is"), negated=following == "P")
        return (ranges if in_class else f"[{ranges}]"), end
    if following == "z":
        return r"\Z", at + 2
    if following == "h":
        return (r" \t\xA0" if in_class else r"[ \t\xA0]"), at + 2
    if following == "e":
        return r"\x1B", at + 2
    return pattern[at : at + 2], at + 2


def _is_literal_hyphen(pattern: str, at: int) -> bool:
    r"""Java reads the hyphen of [\w-_] as itself, where `re` sees a broken range."""
    before = pattern[at - 2 : at]
    after = pattern[at + 1 : at + 3]
    return before in (r"\w", r"\d", r"\s", r"\W", r"\D", r"\S") or after in (r"\w", r"\d", r"\s")


def _join_surrogates(pair: re.Match[str]) -> str:
    high, low = (int(half, 16) for half in pair.groups())
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08X}"


@cache
def _category_ranges(name: str, *, negated: bool) -> str:
    """The characters of a category (L, Zs…) or a POSIX-like class, as the inside of a [character class]."""
    if name in _NAMED:
        if negated:
            raise KeyError(f"\\P{{{name}}}")
        return _NAMED[name]
    if name not in _categories() and name not in {full[0] for full in _categories()}:
        raise KeyError(f"\\p{{{name}}}")
    ranges = [
        span
        for category, spans in _categories().items()
        if category.startswith(name) != negated
        for span in spans
    ]
    return "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in sorted(ranges))


@cache
def _categories() -> dict[str, list[tuple[int, int]]]:
    """Every Unicode category with its ranges of code points; about 20 ms, once."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for first, end in ((0, _ASSIGNED_END), (0xE0000, 0xE0200)):
        for category, run in groupby(range(first, end), lambda code: unicodedata.category(chr(code))):
            codes = list(run)
            spans.setdefault(category, []).append((codes[0], codes[-1]))
    spans["Cn"] += [(_ASSIGNED_END, 0xDFFFF), (0xE0200, 0xEFFFF), (0xFFFFE, 0xFFFFF), (0x10FFFE, 0x10FFFF)]
    spans["Co"] += [(0xF0000, 0xFFFFD), (0x100000, 0x10FFFD)]
    return spans
