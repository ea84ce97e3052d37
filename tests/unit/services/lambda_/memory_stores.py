"""The function and layer stores in memory, as their ports describe them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lambent.model.code_signing import CodeSigningConfig
from lambent.model.concurrency import ProvisionedConcurrency
from lambent.model.event_invoke_config import EventInvokeConfig
from lambent.model.function import Alias, Function, FunctionId, FunctionVersion
from lambent.model.function_policy import FunctionPolicy
from lambent.model.function_url import FunctionUrl
from lambent.model.layer import LayerId, LayerVersion
from lambent.services.lambda_.states import unsettled
from lambent.store.ports.errors import (
    AlreadyExistsError,
    InUseError,
    LimitExceededError,
    NotFoundError,
    StaleRevisionError,
)


class MemoryFunctionStore:
    """Implements FunctionStore."""

    def __init__(self) -> None:
        self.functions: dict[FunctionId, Function] = {}
        self.versions: dict[tuple[FunctionId, int], FunctionVersion] = {}
        self.aliases: dict[tuple[FunctionId, str], Alias] = {}

    async def insert(self, function: Function) -> None:
        if function.id in self.functions:
            raise AlreadyExistsError
        self.functions[function.id] = function

    async def get(self, id: FunctionId) -> Function | None:
        return self.functions.get(id)

    async def replace(self, function: Function, *, expected_revision_id: str) -> None:
        self._expect(function.id, expected_revision_id)
        self.functions[function.id] = function

    async def delete(self, id: FunctionId) -> None:
        if self.functions.pop(id, None) is None:
            raise NotFoundError
        self.versions = {key: version for key, version in self.versions.items() if key[0] != id}
        self.aliases = {key: alias for key, alias in self.aliases.items() if key[0] != id}

    async def page(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[Function]:
        own = [
            f
            for id, f in sorted(self.functions.items())
            if (id.account_id, id.region) == (account_id, region)
        ]
        return [function for function in own if after is None or function.id.name > after][:limit]

    async def publish(
        self, function: Function, version: FunctionVersion, *, expected_revision_id: str
    ) -> None:
        self._expect(function.id, expected_revision_id)
        key = (version.function, int(version.version))
        if key in self.versions:
            raise AlreadyExistsError
        self.functions[function.id] = function
        self.versions[key] = version

    async def get_version(self, id: FunctionId, version: str) -> FunctionVersion | None:
        return self.versions.get((id, int(version)))

    async def replace_version(self, version: FunctionVersion) -> None:
        key = (version.function, int(version.version))
        if key not in self.versions:
            raise NotFoundError
        self.versions[key] = version

    async def delete_version(self, id: FunctionId, version: str) -> None:
        if self.versions.pop((id, int(version)), None) is None:
            raise NotFoundError

    async def page_versions(self, id: FunctionId, *, after: int, limit: int) -> Sequence[FunctionVersion]:
        numbers = sorted(number for owner, number in self.versions if owner == id and number > after)
        return [self.versions[id, number] for number in numbers[:limit]]

    async def page_all_versions(
        self, account_id: str, region: str, *, after: tuple[str, int] | None, limit: int
    ) -> Sequence[FunctionVersion]:
        keys = sorted(
            (id.name, number, id)
            for id, number in self.versions
            if (id.account_id, id.region) == (account_id, region)
            and (after is None or (id.name, number) > tuple(after))
        )
        return [self.versions[id, number] for _, number, id in keys[:limit]]

    async def insert_alias(self, alias: Alias) -> None:
        if alias.function not in self.functions:
            raise NotFoundError
        if (alias.function, alias.name) in self.aliases:
            raise AlreadyExistsError
        self.aliases[alias.function, alias.name] = alias

    async def get_alias(self, id: FunctionId, name: str) -> Alias | None:
        return self.aliases.get((id, name))

    async def replace_alias(self, alias: Alias, *, expected_revision_id: str) -> None:
        stored = self.aliases.get((alias.function, alias.name))
        if stored is None:
            raise NotFoundError
        if stored.revision_id != expected_revision_id:
            raise StaleRevisionError
        self.aliases[alias.function, alias.name] = alias

    async def delete_alias(self, id: FunctionId, name: str) -> None:
        self.aliases.pop((id, name), None)

    async def page_aliases(
        self, id: FunctionId, *, version: str | None, after: str | None, limit: int
    ) -> Sequence[Alias]:
        found = [alias for (owner, _), alias in sorted(self.aliases.items()) if owner == id]
        if version is not None:
            found = [alias for alias in found if alias.version == version or version in alias.weights]
        return [alias for alias in found if after is None or alias.name > after][:limit]

    async def unsettled(self) -> Sequence[FunctionVersion]:
        versions = [*(function.latest for function in self.functions.values()), *self.versions.values()]
        return [version for version in versions if unsettled(version)]

    async def usage(self, account_id: str, region: str) -> tuple[int, int]:
        own = [
            f.latest for id, f in self.functions.items() if (id.account_id, id.region) == (account_id, region)
        ]
        published = [version for (id, _), version in self.versions.items() if id.account_id == account_id]
        return len(own), sum(version.code.size for version in own + published)

    async def uses_code(self, digest: str) -> bool:
        versions = [*(function.latest for function in self.functions.values()), *self.versions.values()]
        return any(digest in (v.code.digest, *(layer.code.digest for layer in v.layers)) for v in versions)

    def _expect(self, id: FunctionId, revision_id: str) -> None:
        if id not in self.functions:
            raise NotFoundError
        if self.functions[id].latest.revision_id != revision_id:
            raise StaleRevisionError


class MemoryLayerStore:
    """Implements LayerStore."""

    def __init__(self) -> None:
        self.versions: dict[tuple[LayerId, int], LayerVersion] = {}
        self.last: dict[LayerId, int] = {}

    async def publish(self, version: LayerVersion) -> LayerVersion:
        number = self.last[version.layer] = self.last.get(version.layer, 0) + 1
        self.versions[version.layer, number] = numbered = replace(version, version=number)
        return numbered

    async def get(self, layer: LayerId, version: int) -> LayerVersion | None:
        return self.versions.get((layer, version))

    async def replace(self, version: LayerVersion, *, expected_policy_revision_id: str | None) -> None:
        stored = self.versions.get((version.layer, version.version))
        if stored is None:
            raise NotFoundError
        if stored.policy_revision_id != expected_policy_revision_id:
            raise StaleRevisionError
        self.versions[version.layer, version.version] = version

    async def delete(self, layer: LayerId, version: int) -> None:
        self.versions.pop((layer, version), None)

    async def page_versions(
        self, layer: LayerId, *, before: int | None, limit: int
    ) -> Sequence[LayerVersion]:
        numbers = sorted(
            (n for id, n in self.versions if id == layer and (before is None or n < before)), reverse=True
        )
        return [self.versions[layer, number] for number in numbers[:limit]]

    async def page_layers(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[LayerVersion]:
        newest = {id: self.versions[id, number] for id, number in sorted(self.versions)}
        own = [v for id, v in sorted(newest.items()) if (id.account_id, id.region) == (account_id, region)]
        return [version for version in own if after is None or version.layer.name > after][:limit]

    async def code_size(self, account_id: str, region: str) -> int:
        return sum(
            v.code.size
            for (id, _), v in self.versions.items()
            if (id.account_id, id.region) == (account_id, region)
        )

    async def uses_code(self, digest: str) -> bool:
        return any(version.code.digest == digest for version in self.versions.values())


class MemoryConcurrencyStore:
    """Implements ConcurrencyStore, beside the functions of the other."""

    def __init__(self, functions: MemoryFunctionStore) -> None:
        self._functions = functions
        self._reserved: dict[FunctionId, int] = {}
        self._provisioned: dict[tuple[FunctionId, str], ProvisionedConcurrency] = {}

    async def reserve(self, id: FunctionId, executions: int, *, total_most: int) -> None:
        if id not in self._functions.functions:
            raise NotFoundError
        others = await self.total_reserved(id.account_id, id.region) - self._reserved.get(id, 0)
        if others + executions > total_most:
            raise LimitExceededError
        self._reserved[id] = executions

    async def unreserve(self, id: FunctionId) -> None:
        self._reserved.pop(id, None)

    async def reserved(self, id: FunctionId) -> int | None:
        return (await self.all_reserved()).get(id)

    async def total_reserved(self, account_id: str, region: str) -> int:
        all_reserved = await self.all_reserved()
        return sum(n for id, n in all_reserved.items() if (id.account_id, id.region) == (account_id, region))

    async def all_reserved(self) -> Mapping[FunctionId, int]:
        return {id: n for id, n in self._reserved.items() if id in self._functions.functions}

    async def provision(self, config: ProvisionedConcurrency) -> None:
        if config.function not in self._functions.functions:
            raise NotFoundError
        self._provisioned[config.function, config.qualifier] = config

    async def unprovision(self, id: FunctionId, qualifier: str) -> None:
        self._provisioned.pop((id, qualifier), None)

    async def provisioned(self, id: FunctionId) -> Sequence[ProvisionedConcurrency]:
        found = [config for config in self._provisioned.values() if config.function == id]
        return sorted(found, key=lambda config: config.qualifier)

    async def all_provisioned(self) -> Sequence[ProvisionedConcurrency]:
        return list(self._provisioned.values())


class MemoryEventInvokeConfigStore:
    """Implements EventInvokeConfigStore, beside the functions of the other."""

    def __init__(self, functions: MemoryFunctionStore) -> None:
        self._functions = functions
        self.configs: dict[tuple[FunctionId, str], EventInvokeConfig] = {}

    async def put(self, config: EventInvokeConfig) -> None:
        if config.function not in self._functions.functions:
            raise NotFoundError
        self.configs[config.function, config.qualifier] = config

    async def get(self, id: FunctionId, qualifier: str) -> EventInvokeConfig | None:
        return self.configs.get((id, qualifier))

    async def delete(self, id: FunctionId, qualifier: str) -> None:
        if self.configs.pop((id, qualifier), None) is None:
            raise NotFoundError

    async def page(
        self, id: FunctionId, *, after: str | None, limit: int | None
    ) -> Sequence[EventInvokeConfig]:
        found = sorted(
            (qualifier, config) for (function, qualifier), config in self.configs.items() if function == id
        )
        return [config for qualifier, config in found if qualifier > (after or "")][:limit]


class MemoryFunctionPolicyStore:
    """Implements FunctionPolicyStore, on the holders that a MemoryFunctionStore has."""

    def __init__(self, functions: MemoryFunctionStore) -> None:
        self._functions = functions
        self.policies: dict[tuple[FunctionId, str], FunctionPolicy] = {}
        self.reads = 0

    async def get(self, function: FunctionId, qualifier: str) -> FunctionPolicy | None:
        self.reads += 1
        return self.policies.get((function, qualifier))

    async def put(self, policy: FunctionPolicy, *, revision_id: str, expected_revision_id: str) -> None:
        self._revise(policy.function, policy.qualifier, revision_id, expected_revision_id)
        self.policies[policy.function, policy.qualifier] = policy

    async def delete(
        self, function: FunctionId, qualifier: str, *, revision_id: str, expected_revision_id: str
    ) -> None:
        self._revise(function, qualifier, revision_id, expected_revision_id)
        self.policies.pop((function, qualifier), None)

    async def denying(self) -> Sequence[FunctionId]:
        return [policy.function for policy in self.policies.values() if policy.denies]

    def _revise(self, id: FunctionId, qualifier: str, revision_id: str, expected: str) -> None:
        store = self._functions
        if not qualifier:
            store._expect(id, expected)
            function = store.functions[id]
            store.functions[id] = replace(function, latest=replace(function.latest, revision_id=revision_id))
            return
        holders = store.versions if qualifier.isdigit() else store.aliases
        key = (id, int(qualifier) if qualifier.isdigit() else qualifier)
        if key not in holders:
            raise NotFoundError
        if holders[key].revision_id != expected:
            raise StaleRevisionError
        holders[key] = replace(holders[key], revision_id=revision_id)


class MemoryCodeSigningConfigStore:
    """Implements CodeSigningConfigStore."""

    def __init__(self) -> None:
        self.configs: dict[tuple[str, str, str], CodeSigningConfig] = {}
        self.functions: dict[FunctionId, str] = {}

    async def insert(self, config: CodeSigningConfig) -> None:
        self.configs[config.account_id, config.region, config.id] = config

    async def get(self, account_id: str, region: str, id: str) -> CodeSigningConfig | None:
        return self.configs.get((account_id, region, id))

    async def replace(self, config: CodeSigningConfig) -> None:
        if (config.account_id, config.region, config.id) not in self.configs:
            raise NotFoundError
        await self.insert(config)

    async def delete(self, account_id: str, region: str, id: str) -> None:
        if await self.page_functions(account_id, region, id, after=None, limit=1):
            raise InUseError
        if self.configs.pop((account_id, region, id), None) is None:
            raise NotFoundError

    async def page(
        self, account_id: str, region: str, *, after: str | None, limit: int
    ) -> Sequence[CodeSigningConfig]:
        own = [config for key, config in sorted(self.configs.items()) if key[:2] == (account_id, region)]
        return [config for config in own if config.id > (after or "")][:limit]

    async def attach(self, function: FunctionId, id: str) -> None:
        if (function.account_id, function.region, id) not in self.configs:
            raise NotFoundError
        self.functions[function] = id

    async def detach(self, function: FunctionId) -> None:
        self.functions.pop(function, None)

    async def attached(self, function: FunctionId) -> CodeSigningConfig | None:
        id = self.functions.get(function)
        return self.configs[function.account_id, function.region, id] if id is not None else None

    async def page_functions(
        self, account_id: str, region: str, id: str, *, after: str | None, limit: int
    ) -> Sequence[str]:
        found = [
            function.name
            for function, attached in sorted(self.functions.items())
            if (function.account_id, function.region, attached) == (account_id, region, id)
        ]
        return [name for name in found if name > (after or "")][:limit]


class MemoryFunctionUrlStore:
    """Implements FunctionUrlStore, beside the functions of the other."""

    def __init__(self, functions: MemoryFunctionStore) -> None:
        self._functions = functions
        self.urls: dict[tuple[FunctionId, str], FunctionUrl] = {}

    async def insert(self, url: FunctionUrl) -> None:
        if url.function not in self._functions.functions:
            raise NotFoundError
        if (url.function, url.qualifier) in self.urls:
            raise AlreadyExistsError
        self.urls[url.function, url.qualifier] = url

    async def get(self, function: FunctionId, qualifier: str) -> FunctionUrl | None:
        return self.urls.get((function, qualifier))

    async def by_id(self, id: str) -> FunctionUrl | None:
        return next((url for url in self.urls.values() if url.id == id), None)

    async def replace(self, url: FunctionUrl) -> None:
        if (url.function, url.qualifier) not in self.urls:
            raise NotFoundError
        self.urls[url.function, url.qualifier] = url

    async def delete(self, function: FunctionId, qualifier: str) -> None:
        if self.urls.pop((function, qualifier), None) is None:
            raise NotFoundError

    async def page(self, function: FunctionId, *, after: str | None, limit: int) -> Sequence[FunctionUrl]:
        found = sorted((qualifier, url) for (owner, qualifier), url in self.urls.items() if owner == function)
        return [url for qualifier, url in found if after is None or qualifier > after][:limit]

    async def every(self) -> Sequence[FunctionUrl]:
        return list(self.urls.values())
