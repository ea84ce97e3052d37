"""What an account has set for its text messages in a region."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsSettings:
    """`attributes` are those that were given, under AWS's names (DefaultSMSType)."""

    attributes: Mapping[str, str]
