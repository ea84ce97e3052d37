"""The Action element."""

import re

from lambent.model.policy.malformed import MalformedPolicyError
from lambent.model.policy.pattern import Pattern

_VENDOR = re.compile(r"[\w.*?-]+")


def parse_action(text: str) -> Pattern:
    """`service:Action` or "*", matched without regard to case. Policy variables are not allowed here."""
    if text != "*":
        vendor, colon, name = text.partition(":")
        if not colon:
            raise MalformedPolicyError(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            )
        if not _VENDOR.fullmatch(vendor):
            raise MalformedPolicyError(f"Vendor {vendor} is not valid")
        if ":" in name:
            raise MalformedPolicyError("Actions/Condition can contain only one colon.")
    return Pattern.of(text, variables=False, ignore_case=True)
