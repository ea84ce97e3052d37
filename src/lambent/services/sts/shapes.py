"""Credentials as members of STS's output shapes."""

import math

from lambent.model.caller import Parameters
from lambent.model.credential import Credential

_MAX_TOKEN_SIZE = 4096


def credentials_members(credential: Credential) -> Parameters:
    assert credential.session_token is not None
    size = len(credential.session_token)
    return {
        "Credentials": {
            "AccessKeyId": credential.access_key_id,
            "SecretAccessKey": credential.secret_access_key,
            "SessionToken": credential.session_token,
            "Expiration": credential.expires_at,
        },
        "SessionTokenSize": size,
        "SessionTokenUtilization": min(100, math.ceil(100 * size / _MAX_TOKEN_SIZE)),
    }
