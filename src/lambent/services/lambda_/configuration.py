"""A function version as FunctionConfiguration shows it, member by member in AWS's order."""

import time
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.caller import Parameters
from lambent.model.function import CodeReference, FunctionVersion, LoggingConfig
from lambent.services.lambda_.durable_config import describe_durable_config
from lambent.services.lambda_.function_images import describe_image_config
from lambent.services.lambda_.vpc import describe_no_vpc

_LISTS_OMIT = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
)
"""The members that ListFunctions and ListVersionsByFunction leave out, as their documentation says."""


def describe(
    version: FunctionVersion, qualifier: str | None, environment: Parameters | None = None
) -> Parameters:
    """`qualifier` is what FunctionArn ends with: None for the unqualified ARN. `environment` is the member of that name
    where the variables are encrypted."""
    partition = partition_of(version.function.region)
    members: dict[str, Any] = {
        "FunctionName": version.function.name,
        "FunctionArn": version.function.arn(qualifier, partition),
        "Runtime": version.runtime,
        "Role": version.role,
        "Handler": version.handler,
        "CodeSize": version.code.size,
        "Description": version.description,
        "Timeout": version.timeout,
        "MemorySize": version.memory_size,
        "LastModified": format_time(version.last_modified),
        "CodeSha256": version.code.sha256,
        "Version": version.version,
        "VpcConfig": describe_no_vpc() if version.outside_vpc else None,
        "DeadLetterConfig": {"TargetArn": version.dead_letter_target} if version.dead_letter_target else None,
        "Environment": environment or _describe_variables(version),
        "KMSKeyArn": version.kms_key_arn,
        "TracingConfig": {"Mode": version.tracing_mode},
        "RevisionId": version.revision_id,
        "Layers": [
            {"Arn": layer.arn, "CodeSize": layer.code.size, **describe_signature(layer.code)}
            for layer in version.layers
        ]
        or None,
        "State": version.state,
        "StateReason": version.state_reason,
        "StateReasonCode": version.state_reason_code,
        "LastUpdateStatus": version.last_update_status,
        "LastUpdateStatusReason": version.last_update_status_reason,
        "LastUpdateStatusReasonCode": version.last_update_status_reason_code,
        "PackageType": version.package_type,
        "ImageConfigResponse": describe_image_config(version.image),
        **describe_signature(version.code),
        "Architectures": list(version.architectures),
        "EphemeralStorage": {"Size": version.ephemeral_storage},
        "SnapStart": {
            "ApplyOn": "PublishedVersions" if version.snap_start else "None",
            "OptimizationStatus": version.snapshot_status,
        },
        "RuntimeVersionConfig": version.runtime_version_arn
        and {"RuntimeVersionArn": version.runtime_version_arn},
        "LoggingConfig": _describe_logging(version.logging),
        "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"} if version.tenant_isolation else None,
        "DurableConfig": describe_durable_config(version.durable),
    }
    return {name: value for name, value in members.items() if value is not None}


def describe_in_list(
    version: FunctionVersion, qualifier: str | None, environment: Parameters | None = None
) -> Parameters:
    members = describe(version, qualifier, environment)
    for name in _LISTS_OMIT:
        members.pop(name, None)
    return members


def describe_signature(code: CodeReference) -> dict[str, str]:
    """The members that say who signed a package; none where nobody did."""
    signature = code.signature
    if signature is None or not signature.intact:
        return {}
    return {
        "SigningProfileVersionArn": signature.profile_version_arn,
        "SigningJobArn": signature.job_arn,
    }


def _describe_variables(version: FunctionVersion) -> Parameters | None:
    return None if version.variables is None else {"Variables": dict(version.variables)}


def _describe_logging(logging: LoggingConfig) -> Parameters:
    members = {
        "LogFormat": logging.log_format,
        "ApplicationLogLevel": logging.application_log_level,
        "SystemLogLevel": logging.system_log_level,
        "LogGroup": logging.log_group,
    }
    return {name: value for name, value in members.items() if value is not None}


def format_time(seconds: float) -> str:
    """Lambda's timestamps: 2026-11-20T19:00:00.000+0000."""
    milliseconds = round(seconds * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{whole}.{milliseconds % 1000:03d}+0000"
