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
        rules = [_rule(entry) for entry in document["rules"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _invalid(str(error) if type(error) is ValueError else "unable to parse the policy") from error
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


def _rule(entry: Mapping[str, Any]) -> Rule:
    """Raises ValueError, KeyError, TypeError."""
    selection = entry["selection"]
    rule = Rule(
        priority=_number(entry["rulePriority"], "rulePriority"),
        tag_status=selection["tagStatus"],
        prefixes=tuple(selection.get("tagPrefixList", ())),
        patterns=tuple(selection.get("tagPatternList", ())),
        count_type=selection["countType"],
        count=_number(selection["countNumber"], "countNumber"),
    )
    if entry["action"] != {"type": "expire"}:
        raise ValueError("the only action that Lambent offers is expire")
    if rule.tag_status not in ("tagged", "untagged", "any"):
        raise ValueError("tagStatus must be tagged, untagged or any")
    if (rule.tag_status == "tagged") != bool(rule.prefixes or rule.patterns):
        raise ValueError(
            "tagPrefixList or tagPatternList is given where, and only where, tagStatus is tagged"
        )
    if rule.prefixes and rule.patterns:
        raise ValueError("only one of tagPrefixList and tagPatternList can be given")
    since = rule.count_type in ("sinceImagePushed", "sinceImagePulled")
    if not since and rule.count_type != "imageCountMoreThan":
        raise ValueError("countType must be imageCountMoreThan, sinceImagePushed or sinceImagePulled")
    if since != (selection.get("countUnit") == "days"):
        raise ValueError("countUnit is days where, and only where, countType is a time since something")
    return rule


def _number(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive integer")
    return value


def _invalid(reason: str) -> InvalidParameterException:
    return InvalidParameterException.constraint(
        "LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}"
    )
