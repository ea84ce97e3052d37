"""A limit that nodes share: each holds a part of it, and all parts together are never more than the whole."""

from collections.abc import Mapping, Sequence

import msgspec


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a node says when it asks for its part of the quota `name`: the `limit` as it knows it, how much it `wanted`
    lately, and how much it may be `using`, which cannot be taken from it."""

    name: str
    limit: int
    wanted: int
    using: int


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What a node holds, and wanted when it asked last."""

    holder: str
    amount: int
    wanted: int


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` is the node's from now on, `fair` what it should have: where that is less, it gives the rest up."""

    amount: int
    fair: int


def settle(claim: Claim, me: str, held: int, others: Sequence[Holding]) -> Grant:
    """What a node that holds `held` has after its claim."""
    wants = {other.holder: other.wanted for other in others} | {me: claim.wanted}
    fair = divide(claim.limit, wants)[me]
    free = claim.limit - sum(other.amount for other in others)
    return Grant(amount=max(0, min(fair, free), min(held, claim.using)), fair=fair)


def divide(limit: int, wants: Mapping[str, int]) -> Mapping[str, int]:
    """The whole limit: who wants least is served first, the others alike, and what is left over is for all."""
    shares: dict[str, int] = {}
    left = limit
    for position, name in enumerate(sorted(wants, key=lambda name: (wants[name], name))):
        shares[name] = min(wants[name], left // (len(wants) - position))
        left -= shares[name]
    for position, name in enumerate(sorted(wants)):  # by name: all nodes come to the same result
        shares[name] += left // len(wants) + (position < left % len(wants))
    return shares
