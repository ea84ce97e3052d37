"""Settings that AWS offers and Lambent does not act on yet: refused, unless the value asks for nothing.

A setting that was stored and ignored would break its user later and elsewhere; a refusal says so at once.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lambent.model.caller import Parameters
from lambent.services.lambda_.errors import not_offered


def _empty(value: Any) -> bool:
    """Nothing but empty strings, lists and structures, however nested."""
    if isinstance(value, Mapping):
        return all(_empty(item) for item in value.values())
    return value is None or value is False or value in ("", [])


_NEUTRAL: dict[str, Callable[[Any], bool]] = {
    "AcceleratorConfig": _empty,
    "CapacityProviderConfig": _empty,
    "PublishTo": _empty,
    "RuntimeConfig": _empty,
    "S3ObjectStorageMode": lambda value: value == "COPY",
    "SourceKMSKeyArn": _empty,
}
"""Whether a value of the setting asks for what a function has without it."""


def refuse_unsupported(parameters: Parameters) -> None:
    """Raises InvalidParameterValueException, naming the first setting that Lambent would have to ignore."""
    for name, neutral in _NEUTRAL.items():
        if name in parameters and not neutral(parameters[name]):
            raise not_offered(f"{name} other than its default")
