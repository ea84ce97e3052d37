"""A Lambda function, its versions, and what may be said of them.

Source: the FunctionConfiguration shape of the lambda service model, and
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html for the limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from lambent.model.code_signing import CodeSignature
from lambent.model.image import FunctionImage

LATEST = "$LATEST"


def takes_snapshots(runtime: str | None) -> bool:
    """Whether environments of this runtime can be restored from a snapshot here: those whose process can be copied."""
    return runtime is not None and runtime.startswith("python")


class FunctionId(msgspec.Struct, frozen=True, order=True):
    """What names a function: unique in a region of an account."""

    account_id: str
    region: str
    name: str

    def arn(self, qualifier: str | None = None, partition: str = "aws") -> str:
        base = f"arn:{partition}:lambda:{self.region}:{self.account_id}:function:{self.name}"
        return f"{base}:{qualifier}" if qualifier else base


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReference:
    """A deployment package in the artifact store, or the image there with such a manifest."""

    digest: str
    """SHA-256 in hexadecimal: the artifact's name on disk."""
    sha256: str
    """The same in base64, or once more in hexadecimal for an image: AWS's CodeSha256."""
    size: int
    """Bytes of the zip file, 0 for an image: AWS's CodeSize."""
    unzipped_size: int = 0
    """Bytes of the files in it: what counts with the layers' towards 250 MB."""
    signature: CodeSignature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReference:
    """A layer version as a function uses it; the code is kept even when the layer version is deleted."""

    arn: str
    code: CodeReference


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    log_format: str = "Text"
    application_log_level: str | None = None
    system_log_level: str | None = None
    log_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableConfig:
    """`execution_timeout` is in seconds, for a whole durable execution."""

    execution_timeout: int = 86_400
    retention_period_in_days: int = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """One version of a function: `$LATEST`, which changes, or a published one, which never does.

    Field names follow FunctionConfiguration. `last_modified` is epoch seconds.
    """

    function: FunctionId
    version: str = LATEST
    runtime: str | None
    handler: str | None
    role: str
    code: CodeReference
    description: str = ""
    timeout: int = 3
    memory_size: int = 128
    ephemeral_storage: int = 512
    variables: Mapping[str, str] | None = None
    kms_key_arn: str | None = None
    encrypted_variables: str | None = None
    """In the place of `variables`, where they are under that key: KMS's ciphertext of their JSON, in base64."""
    layers: tuple[LayerReference, ...] = ()
    architectures: tuple[str, ...] = ("x86_64",)
    package_type: str = "Zip"
    image: FunctionImage | None = None
    """Of package type Image. `code` names its manifest then."""
    tracing_mode: str = "PassThrough"
    tenant_isolation: bool = False
    """Each invocation is a tenant's, and no environment is two tenants' (TenancyConfig, PER_TENANT)."""
    dead_letter_target: str | None = None
    """The ARN of a queue or topic for events that are given up."""
    outside_vpc: bool = False
    """A VpcConfig without subnets was given. It is shown as such; nothing else is possible."""
    logging: LoggingConfig
    durable: DurableConfig | None = None
    snap_start: bool = False
    """SnapStart on published versions."""
    runtime_version_arn: str | None = None
    update_runtime_on: Literal["Auto", "FunctionUpdate", "Manual"] = "Auto"
    last_modified: float
    revision_id: str
    state: str = "Pending"
    state_reason: str | None = None
    state_reason_code: str | None = None
    last_update_status: str | None = None
    last_update_status_reason: str | None = None
    last_update_status_reason_code: str | None = None
    settles_at: float = 0.0
    """Epoch seconds before which a pending state or update is not shown as settled (`--state-transition-seconds`)."""

    @property
    def snapshot_status(self) -> Literal["On", "Off"]:
        """Whether environments of this version are restored from a snapshot: AWS's OptimizationStatus."""
        taken = self.snap_start and self.published and self.state == "Active"
        return "On" if taken and takes_snapshots(self.runtime) else "Off"

    @property
    def published(self) -> bool:
        return self.version != LATEST

    def arn(self, partition: str = "aws") -> str:
        """The version's ARN; `$LATEST` is qualified too."""
        return self.function.arn(self.version, partition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as the control plane wants it (`latest`) and as callers reach it (`serving`).

    The two differ while a creation or an update is in progress: invocations of `$LATEST` run `serving`, which is None
    until the creation has succeeded once. Counters outlive the versions they counted.
    """

    id: FunctionId
    latest: FunctionVersion
    serving: FunctionVersion | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    last_published_version: int = 0
    """The highest version number ever published; numbers are never used twice."""
    recursive_loop: str = "Terminate"
    """What is done when it is found in a loop: "Terminate" or "Allow"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for one published version, or for two by weight.

    `weights` maps additional versions to their share (0.0-1.0); the rest goes to `version`.
    """

    function: FunctionId
    name: str
    version: str
    description: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    revision_id: str

    def arn(self, partition: str = "aws") -> str:
        return self.function.arn(self.name, partition)
