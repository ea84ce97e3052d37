"""The tags of sessions, and which of them go on to the sessions of further roles.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lambent.model.caller import Caller, Parameters
from lambent.model.credential import SessionFacts
from lambent.services.sts.errors import AccessDenied, InvalidParameterValue


def parse_tags(members: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Raises InvalidParameterValue for a key that is there twice, in whatever case."""
    tags: dict[str, str] = {}
    for member in members:
        if member["Key"].lower() in {key.lower() for key in tags}:
            raise InvalidParameterValue(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive."
            )
        tags[member["Key"]] = member["Value"]
    return tags


def requested_facts(caller: Caller, parameters: Parameters) -> SessionFacts:
    """Of the session that is asked for, with what it has from the caller's. Raises InvalidParameterValue, AccessDenied
    for another source identity than the caller's."""
    tags = parse_tags(parameters.get("Tags", ()))
    transitive = tuple(parameters.get("TransitiveTagKeys", ()))
    if not {key.lower() for key in transitive} <= {key.lower() for key in tags}:
        raise InvalidParameterValue(
            "The specified transitive tag key must be included in the requested tags."
        )
    before = caller.session or SessionFacts()
    inherited = {key.lower() for key in before.transitive_tag_keys}
    if inherited & {key.lower() for key in tags}:
        raise InvalidParameterValue(
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    identity = parameters.get("SourceIdentity", before.source_identity)
    if before.source_identity is not None and identity != before.source_identity:
        raise AccessDenied("SourceIdentity cannot be changed: the calling session has one.")
    handed_on = {key: value for key, value in before.tags.items() if key.lower() in inherited}
    return SessionFacts(
        tags={**handed_on, **tags},
        transitive_tag_keys=(*before.transitive_tag_keys, *transitive),
        source_identity=identity,
    )
