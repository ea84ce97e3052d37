"""Values as AWS's errors repeat them: in the words of Java."""

from collections.abc import Sequence
from typing import Any


def write_value(value: Any) -> str:
    """A value as Java's toString writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    if isinstance(value, list):
        return f"[{', '.join(write_value(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={write_value(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else str(value)


def write_records(name: str, members: Sequence[str], values: list[dict[str, Any]]) -> str:
    """A list of structures, each written as Java writes a record."""
    written = []
    for value in values:
        given = {member[0].lower() + member[1:]: item for member, item in value.items()}
        shown = ", ".join(f"{member}={write_value(given.get(member))}" for member in members)
        written.append(f"{name}({shown})")
    return f"[{', '.join(written)}]"
