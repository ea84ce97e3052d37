"""Where services could deliver their logs to, as PutDeliveryDestination has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDeliveryDestination:
    """`kind` is of the DeliveryDestinationType shape, `policy` JSON text; None: there is none."""

    resource_arn: str
    kind: str
    output_format: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None
