"""Who asks, and whom a Principal element names."""

import re
from dataclasses import dataclass
from enum import IntEnum

_ACCOUNT = re.compile(r"\d{12}|arn:[\w-]+:iam::(\d{12}):root")


class Match(IntEnum):
    """How a Principal element names a principal. Where only its ACCOUNT is named, the account decides too:
    the principal's own policies must allow the action too."""

    NONE = 0
    ACCOUNT = 1
    DIRECT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`arn` is the root's, the user's or the assumed-role session's, `role_arn` the role behind a session. A `service`
    principal (lambda.amazonaws.com) and a `federated` one have nothing else."""

    account_id: str | None = None
    arn: str | None = None
    role_arn: str | None = None
    service: str | None = None
    federated: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalElement:
    """Principal or, `negated`, NotPrincipal. `accounts` are 12-digit ids."""

    everyone: bool = False
    accounts: frozenset[str] = frozenset()
    arns: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()
    negated: bool = False

    def match(self, principal: Principal) -> Match:
        """NotPrincipal leaves out only whom it names itself, not all of an account that it names."""
        named = self._named(principal)
        if not self.negated:
            return named
        return Match.NONE if named is Match.DIRECT else Match.DIRECT

    def _named(self, principal: Principal) -> Match:
        if self.everyone:
            return Match.DIRECT
        if principal.service is not None:
            return Match.DIRECT if principal.service in self.services else Match.NONE
        if principal.federated is not None:
            return Match.DIRECT if principal.federated in self.federated else Match.NONE
        if principal.arn in self.arns or principal.role_arn in self.arns:
            return Match.DIRECT
        if principal.account_id not in self.accounts:
            return Match.NONE
        is_account = principal.role_arn is None and (principal.arn or ":root").endswith(":root")
        return Match.DIRECT if is_account else Match.ACCOUNT


def account_of(text: str) -> str | None:
    """The account that a principal stands for as a whole: 123456789012 or arn:aws:iam::123456789012:root."""
    found = _ACCOUNT.fullmatch(text)
    return (found[1] or text) if found else None
