"""Filter criteria under a key of the mapping's own (KMSKeyArn): encrypted at rest, shown to whoever may use the key.

Source: the EventSourceMappingConfiguration and FilterCriteriaError shapes of the lambda service model.
"""

from collections.abc import Mapping
from dataclasses import replace

from lambent.encryption.filter_criteria import SealedFilterCriteria
from lambent.model.caller import Caller, Parameters
from lambent.model.error import AccessDeniedException, ServiceException
from lambent.model.event_source_mapping import EventSourceMapping
from lambent.model.lambda_errors import InvalidParameterValueException

_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_REASONS: Mapping[str, str] = {
    "NotFoundException": "the KMS key used does not exist",
    "DisabledException": "the KMS key used is disabled",
    "KMSInvalidStateException": "the KMS key used is in an invalid state",
}


class FilterCriteria:
    def __init__(self, criteria: SealedFilterCriteria) -> None:
        self._criteria = criteria

    async def seal(self, caller: Caller, mapping: EventSourceMapping) -> EventSourceMapping:
        """The mapping as it is stored. Raises InvalidParameterValueException, AccessDeniedException."""
        if not {"FilterCriteria", "KMSKeyArn"} <= set(mapping.settings):
            return replace(mapping, sealed_criteria=None)
        try:
            return await self._criteria.seal(caller, mapping)
        except ServiceException as error:
            raise _refused("encrypt", error) from error

    async def open(self, caller: Caller, mapping: EventSourceMapping) -> EventSourceMapping:
        """With its criteria in the clear. Raises InvalidParameterValueException, AccessDeniedException."""
        try:
            return await self._criteria.open(caller, mapping)
        except ServiceException as error:
            raise _refused("decrypt", error) from error

    async def shown(self, caller: Caller, mapping: EventSourceMapping) -> Parameters:
        """The member FilterCriteria, or FilterCriteriaError, of a mapping whose criteria are encrypted."""
        if mapping.sealed_criteria is None:
            return {}
        try:
            opened = await self._criteria.open(caller, mapping)
        except ServiceException as error:
            return {"FilterCriteriaError": {"ErrorCode": error.code, "Message": _message("decrypt", error)}}
        return {"FilterCriteria": opened.settings["FilterCriteria"]}


def _refused(verb: str, error: ServiceException) -> ServiceException:
    kind = AccessDeniedException if error.code in _DENIED else InvalidParameterValueException
    return kind(_message(verb, error))


def _message(verb: str, error: ServiceException) -> str:
    reason = _REASONS.get(error.code, "the KMS access was denied")
    return (
        f"Lambda was unable to {verb} your filter criteria because {reason}. "
        f"Please check your KMS permissions. KMS Exception: {error.code} KMS Message: {error.message}"
    )
