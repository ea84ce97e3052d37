"""Kinds of values that settings take, and how they are read from text or TOML."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROLES = ("api", "worker", "poller")


class SettingsError(Exception):
    """A setting is unknown, or its value is bad. The message is one line that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What values a setting takes. `convert` takes text or a TOML value and raises ValueError (or TypeError); where it
    is `repeatable`, what its flags were given too, a tuple of texts."""

    says: str
    convert: Callable[[Any], Any]
    repeatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table. `default_says` is how the default is written for people."""

    name: str
    kind: Kind
    default_says: str
    description: str
    unit: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "LAMBENT_" + self.name.upper()

    @property
    def is_switch(self) -> bool:
        return self.kind is SWITCH

    def read(self, value: Any, source: str) -> Any:
        """The value, checked. Raises SettingsError, which names `source`."""
        try:
            return self.kind.convert(value)
        except (ValueError, TypeError):
            raise SettingsError(f"{source} must be {self.kind.says}, not {value!r}") from None


def integer(least: int, most: int) -> Kind:
    return Kind(
        says=f"a whole number from {least} to {most}", convert=lambda value: _within(int, value, least, most)
    )


def number(least: float, most: float) -> Kind:
    return Kind(
        says=f"a number from {least:g} to {most:g}", convert=lambda value: _within(float, value, least, most)
    )


def _within(number: type[int] | type[float], value: Any, least: float, most: float) -> int | float:
    if isinstance(value, bool) or (number is int and isinstance(value, float)):
        raise TypeError
    converted = number(value)
    if not least <= converted <= most:
        raise ValueError
    return converted


def choice(*allowed: str) -> Kind:
    return Kind(says=f"one of {', '.join(allowed)}", convert=lambda value: allowed[allowed.index(value)])


def pattern(says: str, expression: str) -> Kind:
    def convert(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(expression, value, re.ASCII):
            raise ValueError
        return value

    return Kind(says=says, convert=convert)


def _switched(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[_known(value)]


def _known(value: Any) -> str:
    text = str(value).lower()
    if text not in ("true", "1", "yes", "false", "0", "no"):
        raise ValueError
    return text


def _as_path(value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError
    return Path(value).expanduser().absolute()


def _as_paths(value: Any) -> tuple[Path, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(os.pathsep)
    return tuple(_as_path(part) for part in parts)


def _as_roles(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    chosen = {ROLES[ROLES.index(part)] for part in parts}
    if not chosen:
        raise ValueError
    return tuple(role for role in ROLES if role in chosen)


def _as_sources(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    if not all(isinstance(part, str) and _SOURCE.fullmatch(part) for part in parts):
        raise ValueError
    return tuple(parts)


def _as_runtime_images(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        given = list(value.items())
    else:
        texts = [value] if isinstance(value, str) else value
        given = [part.partition("=")[::2] for text in texts for part in text.split(",")]
    for runtime, image in given:
        if not _RUNTIME.fullmatch(runtime) or not _IMAGE.fullmatch(image):
            raise ValueError
    images = dict(given)
    if len(images) < len(given):
        raise ValueError
    return images


_RUNTIME = re.compile(r"[a-z]+[0-9a-z.]*")
_IMAGE = re.compile(
    r"(oci|oci-archive):/[^,\s]+|[0-9A-Za-z][0-9A-Za-z.:-]*/[0-9A-Za-z._/-]+[:@][0-9A-Za-z._:@-]+"
)
_SOURCE = re.compile(r"(oci|oci-archive):/[^,\s]*|[0-9A-Za-z][0-9A-Za-z.-]*(:[0-9]{1,5})?(/[0-9a-z._/-]*)?")
SOURCES = Kind(
    says="registries, repositories, oci:/DIRECTORY or oci-archive:/DIRECTORY, with commas (in the file: a list)",
    convert=_as_sources,
)
RUNTIME_IMAGES = Kind(
    says="RUNTIME=IMAGE, with commas or given several times (in the file: a table), where IMAGE is "
    "registry/repository:tag, oci:/DIRECTORY:tag or oci-archive:/FILE",
    convert=_as_runtime_images,
    repeatable=True,
)
SWITCH = Kind(says="true or false", convert=_switched)
PATH = Kind(says="a path", convert=_as_path)
PATHS = Kind(says="paths separated by ':' (in the file: a list of paths)", convert=_as_paths)
SECONDS = number(0, 1_000_000_000)
ROLE_NAMES = Kind(says=f"some of {', '.join(ROLES)}, separated by commas", convert=_as_roles)
NAME = pattern("letters, digits, '-', '.' and '_'", r"[0-9A-Za-z._-]{1,64}")
HOST = pattern("an address or a host name", r"[0-9A-Za-z.:_%-]{1,253}")
