"""Lambda layers: named, numbered, immutable archives that are laid under /opt."""

from dataclasses import dataclass

from lambent.model.function import CodeReference


@dataclass(frozen=True, slots=True, order=True)
class LayerId:
    account_id: str
    region: str
    name: str

    def arn(self, version: int | None = None, partition: str = "aws") -> str:
        base = f"arn:{partition}:lambda:{self.region}:{self.account_id}:layer:{self.name}"
        return f"{base}:{version}" if version else base


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionStatement:
    """One statement of a layer version's resource policy (AddLayerVersionPermission)."""

    statement_id: str
    action: str
    principal: str
    organization_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    layer: LayerId
    version: int
    code: CodeReference
    description: str = ""
    license_info: str | None = None
    compatible_runtimes: tuple[str, ...] | None = None
    compatible_architectures: tuple[str, ...] | None = None
    created_at: float
    statements: tuple[PermissionStatement, ...] = ()
    policy_revision_id: str | None = None

    def arn(self, partition: str = "aws") -> str:
        return self.layer.arn(self.version, partition)
