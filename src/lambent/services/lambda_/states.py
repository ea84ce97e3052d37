"""The states that a function version passes through, as changes of a value. Anything else is refused.

    created ──► Pending ──► Active ──► (update InProgress ──► Successful | Failed)*
                   └──────► Failed ──► (an update that succeeds makes it Active)

A settled version has a new revision id, as at AWS.
Source: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from dataclasses import replace
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.function import FunctionVersion
from lambent.model.lambda_errors import ResourceConflictException

_CREATING = "The function is being created."


def pending(version: FunctionVersion, settles_at: float) -> FunctionVersion:
    return replace(
        version,
        state="Pending",
        state_reason=_CREATING,
        state_reason_code="Creating",
        last_update_status=None,
        last_update_status_reason=None,
        last_update_status_reason_code=None,
        settles_at=settles_at,
    )


def updating(version: FunctionVersion, changes: dict[str, Any], settles_at: float) -> FunctionVersion:
    return replace(
        version,
        **changes,
        last_update_status="InProgress",
        # AWS says "created" of updates, too.
        last_update_status_reason=_CREATING,
        last_update_status_reason_code="Creating",
        settles_at=settles_at,
    )


def succeeded(version: FunctionVersion, revision_id: str) -> FunctionVersion:
    return replace(
        version,
        revision_id=revision_id,
        state="Active",
        state_reason=None,
        state_reason_code=None,
        last_update_status="Successful",
        last_update_status_reason=None,
        last_update_status_reason_code=None,
    )


def failed(version: FunctionVersion, revision_id: str, code: str, reason: str) -> FunctionVersion:
    """A creation that fails leaves a Failed function; an update that fails leaves the version before it running."""
    if version.state == "Pending":
        return replace(
            version,
            revision_id=revision_id,
            state="Failed",
            state_reason=reason,
            state_reason_code=code,
            last_update_status="Failed",
            last_update_status_reason=reason,
            last_update_status_reason_code=code,
        )
    return replace(
        version,
        revision_id=revision_id,
        last_update_status="Failed",
        last_update_status_reason=reason,
        last_update_status_reason_code=code,
    )


def unsettled(version: FunctionVersion) -> bool:
    return version.state == "Pending" or version.last_update_status == "InProgress"


def runs(version: FunctionVersion) -> bool:
    """Whether invocations run this very code and these settings."""
    return version.state == "Active" and version.last_update_status == "Successful"


def refuse_unsettled(version: FunctionVersion) -> None:
    """Raises ResourceConflictException while a creation or update of `$LATEST` is in progress."""
    if version.state == "Pending":
        raise ResourceConflictException(
            "The operation cannot be performed at this time. "
            f"The function is currently in the following state: {version.state}"
        )
    if version.last_update_status == "InProgress":
        arn = version.function.arn(partition=partition_of(version.function.region))
        raise ResourceConflictException(
            f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
        )
