"""Property selectors: `$.user.id`, `$.users[0]`, `$.['cluster.name']`, and one wildcard: `$.users[*].id`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lambent.services.logs.filter_pattern.errors import InvalidFilterPatternError

_STEP = re.compile(
    r"\.(?P<name>[\w-]+)|(?P<any>\.\*|\[\*\])|\.?\['(?P<quoted>[^']*)'\]|\[(?P<index>\d{1,9})\]"
)

Step = str | int | None
"""A property's name, an element's index, or None for whichever there is."""


@dataclass(frozen=True, slots=True)
class Selector:
    text: str
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """`text` is one SELECTOR token. Raises InvalidFilterPatternError."""
        steps: list[Step] = []
        position = 1
        while position < len(text):
            match = _STEP.match(text, position)
            if match is None:
                raise InvalidFilterPatternError.in_term(text[position:])
            steps.append(_step(match))
            position = match.end()
        if steps.count(None) > 1:
            raise InvalidFilterPatternError.because(f"'{text}' has more than one wildcard")
        return cls(text, tuple(steps))

    @property
    def wild(self) -> bool:
        return None in self.steps

    def select(self, document: Any) -> Iterator[Any]:
        """What the selector points to: nothing, one node, or with a wildcard several."""
        nodes = [document]
        for step in self.steps:
            nodes = [child for node in nodes for child in _children(node, step)]
        return iter(nodes)


def _step(match: "re.Match[str]") -> Step:
    if match["any"]:
        return None
    if match["index"]:
        return int(match["index"])
    return match["quoted"] if match["quoted"] is not None else match["name"]


def _children(node: Any, step: Step) -> list[Any]:
    if isinstance(node, dict):
        if step is None:
            return list(node.values())
        return [node[step]] if isinstance(step, str) and step in node else []
    if isinstance(node, list):
        if step is None:
            return node
        return [node[step]] if isinstance(step, int) and step < len(node) else []
    return []
