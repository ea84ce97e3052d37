"""What is done about functions that invoke themselves through other services: PutFunctionRecursionConfig,
GetFunctionRecursionConfig.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from dataclasses import replace

from lambent.model.caller import Caller, Parameters
from lambent.services.lambda_.errors import function_not_found
from lambent.services.lambda_.function_records import FunctionRecords
from lambent.services.lambda_.function_reference import resolve_unqualified
from lambent.store.ports.errors import NotFoundError
from lambent.store.ports.functions import FunctionStore


class Recursion:
    def __init__(self, store: FunctionStore, records: FunctionRecords) -> None:
        self._store = store
        self._records = records

    async def put(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "PutFunctionRecursionConfig", parameters["FunctionName"])
        async with self._records.lock(id):
            function = await self._records.get(id)
            changed = replace(function, recursive_loop=parameters["RecursiveLoop"])
            try:
                await self._store.replace(changed, expected_revision_id=function.latest.revision_id)
            except NotFoundError as error:
                raise function_not_found(id) from error
        return {"RecursiveLoop": changed.recursive_loop}

    async def get(self, caller: Caller, parameters: Parameters) -> Parameters:
        id = resolve_unqualified(caller, "GetFunctionRecursionConfig", parameters["FunctionName"])
        return {"RecursiveLoop": (await self._records.get(id)).recursive_loop}
