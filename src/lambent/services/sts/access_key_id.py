"""Access key ids that contain their account, as AWS's do: 40 bits of the base32 text after the prefix."""

import base64
import binascii

_MARK = 1 << 47


def temporary_access_key_id(account_id: str, entropy: bytes) -> str:
    """ASIA and 16 base32 digits. `entropy` is 5 bytes, of which 39 bits are used."""
    head = _MARK | int(account_id) << 7 | entropy[0] & 0x7F
    return "ASIA" + base64.b32encode(head.to_bytes(6) + entropy[1:5]).decode()


def account_in(access_key_id: str) -> str | None:
    """The account in an access key id, or None where it has another form."""
    digits = access_key_id[4:]
    if len(digits) != 16:
        return None
    try:
        head = int.from_bytes(base64.b32decode(digits)[:6])
    except binascii.Error:
        return None
    return f"{(head & ~_MARK) >> 7:012}"
