"""Values that a service model allows, as hypothesis strategies, and samples of its regular expressions."""

import random
import re
import re._constants as sre
import re._parser as sre_parser
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from lambent.wire.patterns import compile_pattern

settings.register_profile("thorough", max_examples=2000, derandomize=False, deadline=None)
"""pytest --hypothesis-profile=thorough tests/unit/wire: forty examples per operation instead of two."""

_XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn"), include_characters="\t\n"),
    max_size=12,
)
_TOKEN = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
_MOMENTS = st.integers(0, 4_102_444_800).map(
    lambda s: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | _XML_TEXT, st.lists, max_leaves=4
)
_MAX_DEPTH = 4


@pytest.fixture(scope="session")
def allowed_values() -> Callable[..., st.SearchStrategy[Any]]:
    """(shape) -> what the model allows. `never_empty`: containers have members, where a protocol cannot tell an empty
    one from none."""
    return _values


@pytest.fixture(scope="session")
def samples_of() -> Callable[[str], list[str]]:
    return _samples


def _values(shape: Any, *, never_empty: bool = True, depth: int = 0) -> st.SearchStrategy[Any]:
    match shape.type_name:
        case "structure":
            return _structures(shape, never_empty, depth)
        case "list":
            least = max(shape.metadata.get("min", 0), int(never_empty))
            most = min(shape.metadata.get("max", 99), least + 1)
            element = _values(_elements_of_header(shape), never_empty=never_empty, depth=depth + 1)
            return st.lists(element, min_size=least, max_size=most)
        case "map":
            least = max(shape.metadata.get("min", 0), int(never_empty))
            key = _TOKEN if _location(shape) in ("headers", "querystring") else _values(shape.key)
            value = _values(_elements_of_header(shape, "value"), never_empty=never_empty, depth=depth + 1)
            return st.dictionaries(key, value, min_size=least, max_size=least + 1)
        case _:
            return _scalars(shape)


def _structures(shape: Any, never_empty: bool, depth: int) -> st.SearchStrategy[Any]:
    if shape.is_document_type:
        return _JSON.filter(lambda value: value is not None)
    required = list(shape.required_members)
    optional = [
        name for name in shape.members if name not in required and _is_generated(shape.members[name], depth)
    ]
    members = {
        name: st.deferred(lambda m=shape.members[name]: _values(m, never_empty=never_empty, depth=depth + 1))
        for name in [*required, *optional]
    }
    if shape.is_tagged_union:
        return st.sampled_from(optional or list(shape.members)).flatmap(
            lambda name: st.fixed_dictionaries({name: _values(shape.members[name], depth=depth + 1)})
        )

    def some(chosen: list[str]) -> st.SearchStrategy[Any]:
        return st.fixed_dictionaries({name: members[name] for name in [*required, *chosen]})

    least = int(never_empty and not required and bool(optional))
    if not optional:
        return some([])
    return st.lists(st.sampled_from(optional), min_size=least, max_size=6 - depth, unique=True).flatmap(some)


def _is_generated(member: Any, depth: int) -> bool:
    """Deep structures end at what has no structures of its own."""
    if member.serialization.get("eventstream"):
        return False
    if depth < _MAX_DEPTH:
        return member.type_name != "structure" or bool(member.members) or member.is_document_type
    return member.type_name not in ("structure", "list", "map")


def _location(shape: Any) -> str | None:
    return shape.serialization.get("location")


def _elements_of_header(shape: Any, which: str = "member") -> Any:
    """A list's elements stand where the list stands: their text must be fit for it."""
    element = getattr(shape, which)
    if _location(shape) is not None:
        element.serialization.setdefault("location", _location(shape))
    return element


def _scalars(shape: Any) -> st.SearchStrategy[Any]:
    metadata = shape.metadata
    match shape.type_name:
        case "string" | "character":
            return _strings(shape)
        case "blob":
            least = metadata.get("min", 0)
            return st.binary(min_size=max(least, 1), max_size=max(least, 1) + 8)
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            if _location(shape) == "statusCode":
                return st.sampled_from([200, 202])
            limit = 2**31 - 1 if shape.type_name == "integer" else 2**53
            return st.integers(int(metadata.get("min", -limit)), int(metadata.get("max", limit)))
        case "float" | "double":
            least, most = metadata.get("min", -1000), metadata.get("max", 1000)
            return st.floats(least, most, width=32)
        case "timestamp":
            return _MOMENTS
    raise AssertionError(shape.type_name)


def _strings(shape: Any) -> st.SearchStrategy[str]:
    metadata = shape.metadata
    if metadata.get("enum"):
        return st.sampled_from(metadata["enum"])
    least, most = metadata.get("min", 0), metadata.get("max", 10**6)
    location = _location(shape)
    if location in ("uri", "header", "headers"):
        least = max(least, 1)
    if metadata.get("pattern"):
        found = [text for text in _samples(metadata["pattern"], least) if least <= len(text) <= most]
        if location in ("uri", "header", "headers"):
            found = [text for text in found if text == text.strip() and text.isprintable() and text.isascii()]
            found = [
                text for text in found if "," not in text and text not in (".", "..") and text[:1] != "/"
            ]
        return st.sampled_from(found) if found else st.nothing()
    if location == "uri":
        return st.text("ab/%+ é?&=:", max_size=8).map(
            lambda text: ("k" + text.replace("//", "/") + "k" * least)[:most]
        )
    if location in ("header", "headers"):
        return st.text(string.ascii_letters + "/:=-", min_size=least, max_size=min(most, least + 6))
    return _XML_TEXT.map(lambda text: (text + "x" * least)[:most])


@cache
def _samples(pattern: str, least: int = 0) -> list[str]:
    """Strings that match a pattern of a model, of different lengths from `least` on."""
    compiled = compile_pattern(pattern)
    tree = sre_parser.parse(compiled.pattern, re.ASCII)
    chance = random.Random(pattern)
    found: set[str] = set()
    for attempt in range(300):
        text = "".join(_sample(tree, chance, attempt % (least + 8) if attempt % 3 else attempt % 3))
        if compiled.fullmatch(text):
            found.add(text)
    return sorted(found)


def _sample(tree: Any, chance: random.Random, size: int) -> list[str]:
    out: list[str] = []
    for kind, argument in tree:
        if kind is sre.LITERAL:
            out.append(chr(argument))
        elif kind is sre.NOT_LITERAL:
            out.append("b" if argument == ord("a") else "a")
        elif kind is sre.ANY:
            out.append("a")
        elif kind is sre.IN:
            out.append(_sample_class(argument, chance))
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            low, high, inner = argument
            for _ in range(min(max(low, size), int(high))):
                out += _sample(inner, chance, size if len(inner) == 1 else 1)
        elif kind is sre.SUBPATTERN:
            out += _sample(argument[3], chance, size)
        elif kind is sre.BRANCH:
            out += _sample(chance.choice(argument[1]), chance, size)
    return out


def _sample_class(items: Any, chance: random.Random) -> str:
    negated = items[0][0] is sre.NEGATE
    for _ in range(50):
        char = (
            chance.choice(string.ascii_letters + string.digits + "-_/.:") if negated else _pick(items, chance)
        )
        if not negated or not re.match("[" + re.escape(_written(items)) + "]", char):
            return char
    return "a"


def _written(items: Any) -> str:
    return "".join(chr(argument) for kind, argument in items if kind is sre.LITERAL) or "\0"


def _pick(items: Any, chance: random.Random) -> str:
    kind, argument = chance.choice(items)
    if kind is sre.LITERAL:
        return chr(argument)
    if kind is sre.RANGE:
        low, high = argument
        low = max(low, min(high, ord("!")))
        return chr(chance.randint(low, min(high, low + 93)))
    return {sre.CATEGORY_DIGIT: "7", sre.CATEGORY_SPACE: " "}.get(argument, "w")
