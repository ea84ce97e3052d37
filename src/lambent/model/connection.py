"""EventBridge's connections and API destinations. Times are epoch seconds."""

from dataclasses import dataclass
from typing import Literal

ConnectionState = Literal["AUTHORIZED", "AUTHORIZING", "DEAUTHORIZED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`sealed` are its AuthParameters, encrypted: they hold secrets, and no two of them alike."""

    id: str
    account_id: str
    region: str
    name: str
    description: str | None = None
    authorization_type: str
    sealed: str
    state: ConnectionState
    state_reason: str | None = None
    created_at: float
    modified_at: float
    authorized_at: float | None = None

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:events:{self.region}:{self.account_id}:connection/{self.name}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiDestination:
    id: str
    account_id: str
    region: str
    name: str
    description: str | None = None
    connection_arn: str
    endpoint: str
    method: str
    rate: int
    """Invocations in a second."""
    created_at: float
    modified_at: float

    def arn(self, partition: str = "aws") -> str:
        path = f"api-destination/{self.name}/{self.id}"
        return f"arn:{partition}:events:{self.region}:{self.account_id}:{path}"
