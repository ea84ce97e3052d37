"""Reserved concurrency: PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from lambent.model.caller import Caller, Parameters
from lambent.model.concurrency import UNRESERVED_LEAST
from lambent.model.function import LATEST, FunctionId
from lambent.model.lambda_errors import InvalidParameterValueException, ResourceNotFoundException
from lambent.services.lambda_.errors import function_not_found
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_unqualified
from lambent.services.lambda_.ports import Allotments
from lambent.store.ports.concurrency import ConcurrencyStore
from lambent.store.ports.errors import LimitExceededError, NotFoundError


class FunctionConcurrency:
    """`account_limit`: how many invocations of an account may run at once in a region."""

    def __init__(
        self, store: ConcurrencyStore, records: FunctionRecords, allotments: Allotments, account_limit: int
    ) -> None:
        self._store = store
        self._records = records
        self._allotments = allotments
        self._account_limit = account_limit

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(
            caller, "PutFunctionConcurrency", parameters["FunctionName"], latest_too=False
        )
        executions = parameters["ReservedConcurrentExecutions"]
        await self._require(id)
        unreserved_least = min(UNRESERVED_LEAST, self._account_limit)
        provisioned = sum(config.requested for config in await self._store.provisioned(id))
        if executions < provisioned:
            raise InvalidParameterValueException(
                # The spaces are AWS's, and so is that there is no Type.
                f" ReservedConcurrentExecutions  {executions} should not be lower than function's total "
                f"provisioned concurrency [{provisioned}].",
                members={"Type": None},
            )
        try:
            await self._store.reserve(id, executions, total_most=self._account_limit - unreserved_least)
        except LimitExceededError as error:
            raise InvalidParameterValueException(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{unreserved_least}].",
                members={"Type": None},  # AWS leaves it out of this one
            ) from error
        except NotFoundError as error:
            raise function_not_found(id, LATEST) from error
        await self._allotments.refresh(id)
        return {"ReservedConcurrentExecutions": executions}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "GetFunctionConcurrency", parameters["FunctionName"])
        await self._records.get(id)
        return describe_concurrency(await self._store.reserved(id))

    async def delete(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "DeleteFunctionConcurrency", parameters["FunctionName"])
        await self._require(id)
        await self._store.unreserve(id)
        await self._allotments.refresh(id)
        return {}

    async def _require(self, id: FunctionId) -> None:
        try:
            await self._records.get(id)
        except ResourceNotFoundException as error:
            raise function_not_found(id, LATEST) from error


def describe_concurrency(reserved: int | None) -> Parameters:
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}
