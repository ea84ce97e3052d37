"""The account: GetAccountSettings."""

from lambent.model.caller import Caller, Parameters
from lambent.services.lambda_.code import Packages
from lambent.services.lambda_.code_source import UNZIPPED_LARGEST, ZIPPED_LARGEST
from lambent.store.ports.concurrency import ConcurrencyStore


class Account:
    """`concurrency`: how many invocations of an account may run at once in a region."""

    def __init__(self, packages: Packages, store: ConcurrencyStore, concurrency: int) -> None:
        self._packages = packages
        self._store = store
        self._concurrency = concurrency

    async def get_settings(self, caller: Caller, parameters: Parameters) -> Parameters:
        function_count, code_size = await self._packages.used(caller.account_id, caller.region)
        reserved = await self._store.total_reserved(caller.account_id, caller.region)
        return {
            "AccountLimit": {
                "TotalCodeSize": self._packages.storage_largest,
                "CodeSizeUnzipped": UNZIPPED_LARGEST,
                "CodeSizeZipped": ZIPPED_LARGEST,
                "ConcurrentExecutions": self._concurrency,
                "UnreservedConcurrentExecutions": self._concurrency - reserved,
            },
            "AccountUsage": {"TotalCodeSize": code_size, "FunctionCount": function_count},
        }
