"""Lifecycle policies: what their text says, and which images it expires. Pure.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from lambent.model.repository import RegistryImage
from lambent.services.ecr.errors import InvalidParameterException

_DAY_SECONDS = 86_400.0
_RULES_MOST = 50
_NO_POLICY = "Could not map policyString into LifecyclePolicy."
_KINDS = {str: "string", list: "array", bool: "boolean", type(None): "null"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    priority: int
    tag_status: str
    prefixes: tuple[str, ...]
    patterns: tuple[str, ...]
    count_type: str
    count: int

    def selects(self, tags: Sequence[str]) -> bool:
        """Of several prefixes or patterns, an image has to have a tag for each."""
        if self.tag_status != "tagged":
            return self.tag_status == "any" or not tags
        return (
            bool(tags)
            and all(any(tag.startswith(prefix) for tag in tags) for prefix in self.prefixes)
            and all(any(fnmatchcase(tag, pattern) for tag in tags) for pattern in self.patterns)
        )


def parse_lifecycle_policy(text: str) -> tuple[Rule, ...]:
    """By priority. Raises InvalidParameterException."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _invalid(_NO_POLICY) from error
    if not isinstance(document, dict):
        raise _invalid(_NO_POLICY)
    if not isinstance(document.get("rules"), list):
        raise _invalid('object has missing required properties (["rules"])')
    rules = [_rule(entry) for entry in document["rules"]]
    if not 0 < len(rules) <= _RULES_MOST:
        raise _invalid(f"a policy has between 1 and {_RULES_MOST} rules")
    rules.sort(key=lambda rule: rule.priority)
    if len({rule.priority for rule in rules}) != len(rules):
        raise _invalid("each rulePriority must be unique")
    if any(rule.tag_status == "any" for rule in rules[:-1]):
        raise _invalid("a rule with tagStatus any must have the highest rulePriority")
    return tuple(rules)


def expired(
    rules: Sequence[Rule], images: Mapping[str, RegistryImage], tags: Mapping[str, Sequence[str]], now: float
) -> dict[str, int]:
    """The priorities of the rules that expire images, by digest. A rule counts what others have expired before it, and
    never touches what a rule of more importance has selected."""
    decided: set[str] = set()
    found: dict[str, int] = {}
    newest_first = sorted(images.values(), key=lambda image: -image.pushed_at)
    for rule in rules:
        selected = [image for image in newest_first if rule.selects(tags.get(image.digest, ()))]
        for image in _too_many_or_old(rule, selected, now):
            if image.digest not in decided:
                found[image.digest] = rule.priority
        decided.update(image.digest for image in selected)
    return found


def _too_many_or_old(rule: Rule, images: Sequence[RegistryImage], now: float) -> Sequence[RegistryImage]:
    if rule.count_type == "imageCountMoreThan":
        return images[rule.count :]
    before = now - rule.count * _DAY_SECONDS
    if rule.count_type == "sinceImagePulled":
        return [image for image in images if (image.pulled_at or image.pushed_at) < before]
    return [image for image in images if image.pushed_at < before]


def _rule(entry: Any) -> Rule:
    _require_members(entry, {"rulePriority", "selection", "action"}, {"description"})
    _require_members(entry["action"], {"type"}, set())
    _require_one_of(entry["action"]["type"], {"expire"})
    selection = entry["selection"]
    _require_members(
        selection, {"tagStatus", "countType", "countNumber"}, {"tagPrefixList", "tagPatternList", "countUnit"}
    )
    _require_one_of(selection["tagStatus"], {"tagged", "untagged", "any"})
    since = selection["countType"] in ("sinceImagePushed", "sinceImagePulled")
    if not since and selection["countType"] != "imageCountMoreThan":
        raise _invalid("instance failed to match exactly one schema (matched 0 out of 2)")
    if "countUnit" in selection:
        _require_one_of(selection["countUnit"], {"days"})
    if since != ("countUnit" in selection):
        raise _invalid("countUnit is given where, and only where, countType is a time since something")
    rule = Rule(
        priority=_number(entry["rulePriority"]),
        tag_status=selection["tagStatus"],
        prefixes=_texts(selection.get("tagPrefixList", [])),
        patterns=_texts(selection.get("tagPatternList", [])),
        count_type=selection["countType"],
        count=_number(selection["countNumber"]),
    )
    if (rule.tag_status == "tagged") != bool(rule.prefixes or rule.patterns):
        raise _invalid("tagPrefixList or tagPatternList is given where, and only where, tagStatus is tagged")
    if rule.prefixes and rule.patterns:
        raise _invalid("only one of tagPrefixList and tagPatternList can be given")
    return rule


def _require_members(value: Any, required: set[str], others: set[str]) -> None:
    if not isinstance(value, dict):
        raise _invalid(
            f"instance type ({_KINDS.get(type(value), 'number')}) does not match any allowed primitive type "
            '(allowed: ["object"])'
        )
    if missing := required - value.keys():
        raise _invalid(f"object has missing required properties ({json.dumps(sorted(missing))})")
    if unknown := value.keys() - required - others:
        raise _invalid(
            f"object instance has properties which are not allowed by the schema: ({json.dumps(sorted(unknown))})"
        )


def _require_one_of(value: Any, allowed: set[str]) -> None:
    if value not in allowed if isinstance(value, str) else True:
        raise _invalid(
            f"instance value ({value}) not found in enum :(possible values: {json.dumps(sorted(allowed))})"
        )


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise _invalid('instance type does not match any allowed primitive type (allowed: ["string"])')
    return tuple(value)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _invalid('instance type does not match any allowed primitive type (allowed: ["integer"])')
    if value < 1:
        raise _invalid(f"numeric instance is lower than the required minimum (minimum: 1, found: {value})")
    return value


def _invalid(reason: str) -> InvalidParameterException:
    return InvalidParameterException.constraint(
        "LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}"
    )
