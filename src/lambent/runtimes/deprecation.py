"""When AWS stops accepting a runtime, and how it says so.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html as of summer 2026. AWS has moved dates more
than once. Invocations are never blocked.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class Deprecation:
    """From which days on AWS refuses to create functions with the runtime, and to update existing ones."""

    block_create: date
    block_update: date


_AMAZON_LINUX_2_CREATE = date(2027, 2, 1)
_AMAZON_LINUX_2_UPDATE = date(2027, 3, 3)

DEPRECATIONS: Final[dict[str, Deprecation]] = {
    "nodejs": Deprecation(date(2016, 10, 31), date(2016, 10, 31)),
    "nodejs4.3": Deprecation(date(2020, 2, 3), date(2020, 3, 5)),
    "nodejs4.3-edge": Deprecation(date(2019, 3, 31), date(2019, 4, 30)),
    "nodejs6.10": Deprecation(date(2019, 7, 12), date(2019, 8, 12)),
    "nodejs8.10": Deprecation(date(2020, 2, 4), date(2020, 3, 6)),
    "nodejs10.x": Deprecation(date(2021, 7, 30), date(2022, 2, 14)),
    "nodejs12.x": Deprecation(date(2023, 3, 31), date(2023, 4, 30)),
    "nodejs14.x": Deprecation(date(2024, 1, 9), date(2024, 2, 8)),
    "nodejs16.x": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "nodejs18.x": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "nodejs20.x": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "nodejs22.x": Deprecation(date(2027, 6, 1), date(2027, 7, 1)),
    "python2.7": Deprecation(date(2021, 7, 15), date(2022, 5, 30)),
    "python3.6": Deprecation(date(2022, 7, 18), date(2022, 8, 29)),
    "python3.7": Deprecation(date(2024, 1, 9), date(2024, 2, 8)),
    "python3.8": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "python3.9": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "python3.10": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "java8": Deprecation(date(2024, 2, 8), date(2024, 3, 12)),
    "dotnetcore1.0": Deprecation(date(2019, 6, 27), date(2019, 7, 30)),
    "dotnetcore2.0": Deprecation(date(2019, 4, 30), date(2019, 5, 30)),
    "dotnetcore2.1": Deprecation(date(2022, 1, 5), date(2022, 4, 13)),
    "dotnetcore3.1": Deprecation(date(2023, 4, 3), date(2023, 5, 3)),
    "dotnet6": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "dotnet8": Deprecation(date(2026, 12, 10), date(2027, 1, 11)),
    "go1.x": Deprecation(date(2024, 2, 8), date(2024, 3, 12)),
    "ruby2.5": Deprecation(date(2021, 7, 30), date(2022, 3, 31)),
    "ruby2.7": Deprecation(date(2024, 1, 9), date(2024, 2, 8)),
    "ruby3.2": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
    "provided": Deprecation(date(2024, 2, 8), date(2024, 3, 12)),
    "provided.al2": Deprecation(_AMAZON_LINUX_2_CREATE, _AMAZON_LINUX_2_UPDATE),
}


def refusal(identifier: str, today: date, *, creating: bool) -> str | None:
    """AWS's InvalidParameterValueException message where it would refuse the runtime today; None where it would not."""
    deprecation = DEPRECATIONS.get(identifier)
    if deprecation is None:
        return None
    if today < (deprecation.block_create if creating else deprecation.block_update):
        return None
    return (
        f"The runtime parameter of {identifier} is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions."
    )
