"""The unique ids of IAM: a prefix that tells the kind, and 17 upper-case letters and digits.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

import secrets
import string

_ALPHABET = string.ascii_uppercase + string.digits


def new_role_id() -> str:
    return _new_id("AROA")


def new_policy_id() -> str:
    return _new_id("ANPA")


def new_user_id() -> str:
    return _new_id("AIDA")


def new_group_id() -> str:
    return _new_id("AGPA")


def new_instance_profile_id() -> str:
    return _new_id("AIPA")


def _new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(17))
