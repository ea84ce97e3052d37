"""The filters of ListLogGroups: class, name pattern, tags. A group must pass all that are given."""

from collections.abc import Callable

from lambent.model.caller import Parameters
from lambent.store.ports.logs import LogGroup


def group_filter(parameters: Parameters) -> Callable[[LogGroup], bool]:
    wanted_class = parameters.get("logGroupClass")
    names = parameters["logGroupNamePattern"].split("|") if "logGroupNamePattern" in parameters else []
    tag_filters = [(entry["key"], entry.get("values", ())) for entry in parameters.get("logGroupTags", ())]

    def accepts(group: LogGroup) -> bool:
        return (
            wanted_class in (None, group.log_group_class)
            and (not names or any(_name_matches(group.name, name) for name in names))
            and all(
                key in group.tags and _tag_matches(group.tags[key], values) for key, values in tag_filters
            )
        )

    return accepts


def _name_matches(name: str, pattern: str) -> bool:
    """`^` asks for a prefix; without it any part of the name will do."""
    return name.startswith(pattern[1:]) if pattern.startswith("^") else pattern in name


def _tag_matches(value: str, patterns: list[str]) -> bool:
    """One of the patterns, or any value where there are none."""
    return not patterns or any(_tag_matches_one(value, pattern) for pattern in patterns)


def _tag_matches_one(value: str, pattern: str) -> bool:
    """`*` stands for any text and makes the comparison case-insensitive; a leading `!` negates."""
    if pattern.startswith("!"):
        return not _tag_matches_one(value, pattern[1:])
    if "*" not in pattern:
        return value == pattern
    first, *middle, last = pattern.lower().split("*")
    value = value.lower()
    if len(value) < len(first) + len(last) or not (value.startswith(first) and value.endswith(last)):
        return False
    rest = value[len(first) : len(value) - len(last)]
    for part in middle:
        if part not in rest:
            return False
        rest = rest[rest.index(part) + len(part) :]
    return True
