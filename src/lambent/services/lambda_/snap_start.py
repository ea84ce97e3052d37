"""The setting SnapStart, and what cannot be had with it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
"""

import re
from typing import Any

from lambent.model.caller import Parameters
from lambent.model.function import FunctionVersion
from lambent.model.lambda_errors import InvalidParameterValueException

_RUNTIMES = re.compile(r"java(11|17|21|25)(\.al2023)?|python3\.(1[2-9])|dotnet(8|10)")
_TMP_MOST = 512


def snap_start_fields(parameters: Parameters) -> dict[str, Any]:
    """What a request sets. Raises InvalidParameterValueException for a runtime that has no snapshots anywhere."""
    if "SnapStart" not in parameters:
        return {}
    wanted = parameters["SnapStart"].get("ApplyOn", "None") == "PublishedVersions"
    runtime = parameters.get("Runtime")
    if wanted and runtime and not _RUNTIMES.fullmatch(runtime):
        raise _not_supported(runtime)
    return {"snap_start": wanted}


def refuse_with_snap_start(version: FunctionVersion) -> None:
    """Raises InvalidParameterValueException where the version, as it is to become, cannot have it."""
    if not version.snap_start:
        return
    if version.image is not None:
        raise _not_supported("Container image")
    if version.runtime is None or not _RUNTIMES.fullmatch(version.runtime):
        raise _not_supported(str(version.runtime))
    if version.ephemeral_storage > _TMP_MOST:
        raise _not_supported("Ephemeral storage greater than 512 MB")
    if version.tenant_isolation:
        raise _not_supported("Tenant isolation mode")


def refuse_provisioning(version: FunctionVersion) -> None:
    if version.snap_start:
        raise _not_supported("Provisioned Concurrency")


def _not_supported(what: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"{what} is not supported for SnapStart enabled functions.")
