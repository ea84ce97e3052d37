"""Versions: PublishVersion, ListVersionsByFunction, and what publishing means."""

from dataclasses import replace

from lambent.base.ids import new_uuid
from lambent.model.caller import Caller, Parameters
from lambent.model.function import LATEST, Function, FunctionVersion
from lambent.model.lambda_errors import InvalidParameterValueException
from lambent.services.lambda_.activation import Activation
from lambent.services.lambda_.function_records import FunctionRecords, require_revision
from lambent.services.lambda_.function_reference import resolve_reference, resolve_unqualified
from lambent.services.lambda_.function_variables import FunctionVariables
from lambent.services.lambda_.paging import Page, marker_of, page_size, position
from lambent.services.lambda_.states import pending, refuse_unsettled, runs
from lambent.services.lambda_.unsupported import refuse_unsupported
from lambent.store.ports.functions import FunctionStore

_PAGE_LARGEST = 50


def published(
    function: Function, latest: FunctionVersion, description: str | None, settles_at: float
) -> FunctionVersion:
    """The next version, made of `latest`. It is dated as the code and settings that it keeps, and Active at once where
    `latest` runs already: nothing is left to be prepared, but the snapshot of SnapStart."""
    version = replace(
        latest,
        version=str(function.last_published_version + 1),
        description=latest.description if description is None else description,
        revision_id=new_uuid(),
    )
    return version if runs(latest) and not version.snap_start else pending(version, settles_at)


def unchanged(latest: FunctionVersion, last: FunctionVersion) -> bool:
    """Whether `$LATEST` still is what was published last.

    Either it was not updated since, or its updates came back to the same code and settings."""

    def content(version: FunctionVersion) -> FunctionVersion:
        return replace(
            pending(version, 0.0), version=LATEST, revision_id="", last_modified=0.0, update_runtime_on="Auto"
        )

    return latest.last_modified == last.last_modified or content(latest) == content(last)


class Versions:
    def __init__(
        self,
        store: FunctionStore,
        records: FunctionRecords,
        variables: FunctionVariables,
        activation: Activation,
    ) -> None:
        self._variables = variables
        self._store = store
        self._records = records
        self._activation = activation

    async def publish(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "PublishVersion", parameters["FunctionName"])
        refuse_unsupported(parameters)
        async with self._records.lock(id):
            function = await self._records.get(id)
            latest = function.latest
            require_revision(parameters, latest.revision_id)
            _require_code(parameters.get("CodeSha256"), latest)
            refuse_unsettled(latest)
            last = await self._last(function)
            if last is not None and unchanged(latest, last):
                return await self._variables.describe(caller, last, last.version)
            version = published(
                function, latest, parameters.get("Description"), self._activation.settle_time()
            )
            await self._records.replace_latest(
                function, replace(latest, revision_id=new_uuid()), publish=version
            )
        self._activation.wake(version)
        return await self._variables.describe(caller, version, version.version)

    async def list(self, caller: Caller, parameters: Parameters) -> Parameters:
        reference = resolve_reference(caller, "ListVersionsByFunction", parameters["FunctionName"])
        function = await self._records.get(reference.function)
        limit = page_size(parameters, default=_PAGE_LARGEST, largest=_PAGE_LARGEST)
        after = position(parameters, int)
        versions: list[FunctionVersion] = [] if after is not None else [function.latest]
        versions += await self._store.page_versions(function.id, after=after or 0, limit=limit + 1)
        page = Page(versions, limit)
        answer: Parameters = {
            "Versions": [
                await self._variables.describe_in_list(caller, version, version.version)
                for version in page.items
            ]
        }
        if page.more:
            last = page.items[-1].version
            answer["NextMarker"] = marker_of(0 if last == LATEST else int(last))
        return answer

    async def _last(self, function: Function) -> FunctionVersion | None:
        """The version published last, unless it was deleted since."""
        if not function.last_published_version:
            return None
        return await self._store.get_version(function.id, str(function.last_published_version))


def _require_code(sha256: str | None, latest: FunctionVersion) -> None:
    if sha256 and sha256 != latest.code.sha256:
        raise InvalidParameterValueException(
            f"CodeSHA256 ({sha256}) is different from current CodeSHA256 in $LATEST ({latest.code.sha256}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
