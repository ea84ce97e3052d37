"""Several sources of credentials as one."""

from lambent.model.credential import Credential, CredentialSource


class FirstOf:
    """Asks each source in turn: the root's key, then the sessions of roles."""

    def __init__(self, *sources: CredentialSource) -> None:
        self._sources = sources

    def find(self, access_key_id: str, session_token: str | None) -> Credential | None:
        for source in self._sources:
            credential = source.find(access_key_id, session_token)
            if credential is not None:
                return credential
        return None
