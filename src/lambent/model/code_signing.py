"""Code that is signed, and which signatures a function accepts.

Source: the CodeSigningConfig shape of the lambda service model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PolicyOnDeployment = Literal["Warn", "Enforce"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSignature:
    """What a package says of its own signature. Times are epoch seconds; `intact` is whether the signature is of
    exactly these files and was made by this installation."""

    profile_version_arn: str
    job_arn: str
    signed_at: float
    expires_at: float
    intact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfig:
    """`id` is csc- and 17 lower-case letters or digits; `last_modified` epoch seconds."""

    account_id: str
    region: str
    id: str
    description: str | None = None
    signing_profile_version_arns: tuple[str, ...]
    untrusted_artifact_on_deployment: PolicyOnDeployment = "Warn"
    last_modified: float
    tags: Mapping[str, str] = field(default_factory=dict)

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:lambda:{self.region}:{self.account_id}:code-signing-config:{self.id}"
