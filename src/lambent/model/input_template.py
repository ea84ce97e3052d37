"""Templates of inputs, as rules and pipes have them: text with <placeholders> for what an event has. Pure.

A template that begins as an object or array makes JSON, which is minified; any other makes text. Values outside of
quotes are JSON. Within quotes they are not escaped, and so may make what is no JSON; objects and arrays lose their
quotes within a text.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

import re
from collections.abc import Callable
from typing import Any

import orjson

from lambent.model.json_path import MISSING

_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')
_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*"')


class InvalidInputError(Exception):
    """An input cannot be made."""


def makes_json(template: str) -> bool:
    return template.lstrip().startswith(("{", "["))


def filled(template: str, placeholder: re.Pattern[str], value: Callable[[str], Any]) -> str:
    """`placeholder` finds them, its first group is what `value` is asked for: MISSING where there is none.

    Raises InvalidInputError."""
    as_json = makes_json(template)

    def text(name: str, quoted: bool) -> str:
        found = value(name)
        if found is MISSING:
            return "" if quoted else '""'
        if quoted and isinstance(found, str):
            return found
        encoded = orjson.dumps(found).decode()
        return encoded if as_json or not quoted else encoded.replace('"', "")

    made = replaced(template, placeholder, text)
    if not as_json:
        return made
    require_json(made, "The input that was made of the event is not valid JSON.")
    return _SPACE.sub(r"\1", made)


def replaced(template: str, placeholder: re.Pattern[str], text: Callable[[str, bool], str]) -> str:
    """`text` is asked for each placeholder, and told whether it stands within quotes."""
    quoted, position, pieces = False, 0, []
    for found in placeholder.finditer(template):
        between = template[position : found.start()]
        quoted ^= len(_QUOTE.findall(between)) % 2 == 1
        pieces += [between, text(found[1], quoted)]
        position = found.end()
    return "".join([*pieces, template[position:]])


def require_json(text: str, refusal: str) -> None:
    """Raises InvalidInputError."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidInputError(refusal) from None
