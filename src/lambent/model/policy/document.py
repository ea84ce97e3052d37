"""A parsed policy document."""

from dataclasses import dataclass
from typing import Literal

from lambent.model.policy.condition import Condition
from lambent.model.policy.pattern import Context, Pattern
from lambent.model.policy.principal import PrincipalElement


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """Action or Resource or, `negated`, NotAction or NotResource."""

    patterns: tuple[Pattern, ...]
    negated: bool = False

    def matches(self, value: str, context: Context) -> bool:
        return any(pattern.matches(value, context) for pattern in self.patterns) != self.negated


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
