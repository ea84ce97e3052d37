"""Where things are for a process that has no root and no network of its own: paths and addresses as they are written
for the inside, put into what they are on the host. Pure."""

import re
from collections.abc import Mapping

_BEFORE = r"(?<![\w.-])"
_REST = r"""(?:/[^\s:;"']*)?"""
_AFTER = r"(?![\w.-])"


class Places:
    """`names` maps paths inside ("/var/task") and addresses ("127.0.0.1:9001") to what stands for them on the host. A
    path goes with all that is below it. Below the path `kept` nothing is translated: there is what they stand for."""

    def __init__(self, names: Mapping[str, str], kept: str) -> None:
        self._names = dict(names)
        longest_first = sorted(self._names, key=len, reverse=True)
        written = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(f"{_BEFORE}(?:{re.escape(kept)}{_REST}|(?:{written}){_AFTER})")

    def in_text(self, text: str) -> str:
        """Every one of them that stands in `text`: a path, a list of paths, a line of shell. What was translated
        already stays as it is."""
        return self._pattern.sub(lambda found: self._names.get(found[0], found[0]), text)

    def in_values(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {name: self.in_text(value) for name, value in variables.items()}
