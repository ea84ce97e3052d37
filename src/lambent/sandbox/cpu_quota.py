"""How a share of a CPU is written to the kernel, in either version of cgroups."""

PERIOD_US = 100_000
"""The kernel's own default. Shorter periods make small functions slower in all, longer ones make them stall longer;
where the kernel allows a burst, an idle period's quota is saved for the next: a short invocation need not stall."""

_QUOTA_MIN_US = 1_000


def quota_us(cpus: float) -> int:
    """CPU time per period; the kernel takes no less than a millisecond."""
    return max(_QUOTA_MIN_US, round(cpus * PERIOD_US))
