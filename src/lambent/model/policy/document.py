"""A parsed policy document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lambent.model.policy.condition import Condition
from lambent.model.policy.pattern import Context, Pattern
from lambent.model.policy.principal import PrincipalElement


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Action or Resource or, `negated`, NotAction or NotResource.

    Most actions are plain names, which are looked up in `names` (lower case where case does not matter)."""

    names: frozenset[str]
    patterns: tuple[Pattern, ...]
    ignore_case: bool
    negated: bool

    @classmethod
    def of(cls, patterns: Sequence[Pattern], *, ignore_case: bool, negated: bool) -> "Element":
        return cls(
            names=frozenset(_folded(one.text, ignore_case) for one in patterns if one.is_plain),
            patterns=tuple(one for one in patterns if not one.is_plain),
            ignore_case=ignore_case,
            negated=negated,
        )

    def matches(self, value: str, context: Context) -> bool:
        if _folded(value, self.ignore_case) in self.names:
            return not self.negated
        for pattern in self.patterns:
            if pattern.matches(value, context):
                return not self.negated
        return self.negated


def _folded(text: str, ignore_case: bool) -> str:
    return text.lower() if ignore_case else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`resource` is None in trust policies, `principal` in identity-based policies."""

    sid: str | None = None
    effect: Literal["Allow", "Deny"]
    action: Element
    resource: Element | None = None
    principal: PrincipalElement | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    version: str
    statements: tuple[Statement, ...]
