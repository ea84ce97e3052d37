from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from lambent.base.clock import ManualClock
from lambent.base.tasks import Tasks
from lambent.environments.zygotes import Lineage
from lambent.model.error import AccessDeniedException
from lambent.model.function import CodeReference, FunctionId, FunctionVersion, LoggingConfig
from lambent.server import adapters

ROLE = "arn:aws-cn:iam::123456789012:role/r"


def version_of(*, tenant_isolation):
    return FunctionVersion(
        function=FunctionId("123456789012", "eu-west-1", "hello"),
        runtime="python3.12",
        handler="app.handler",
        role=ROLE,
        code=CodeReference(digest="d", sha256="s", size=1),
        tenant_isolation=tenant_isolation,
        logging=LoggingConfig(log_group="/aws/lambda/hello"),
        last_modified=0.0,
        revision_id="1",
    )


class Install(SimpleNamespace):
    def __init__(self, identifier):
        super().__init__(identifier=identifier, version="3.12.7", class_archive=None, copyable=True)

    def of_memory(self, memory_mb):
        return self


class Registry:
    def __init__(self):
        self.shipped = []

    def get(self, runtime):
        return Install(runtime) if runtime == "python3.12" else None

    def installed_identifiers(self):
        return ["python3.12"]

    def compile_shipped(self, runtime):
        self.shipped.append(runtime)


class Blanks:
    def __init__(self):
        self.expected = []

    def expect(self, install, lineage):
        self.expected.append((install.identifier, lineage))


@pytest.fixture
def compiled(monkeypatch):
    compiled = []
    monkeypatch.setattr(
        adapters, "compile_python", lambda tree, install: compiled.append((tree, install.identifier))
    )
    return compiled


async def test_what_is_compiled_is_soon_called_so_blanks_are_made(compiled, tmp_path):
    registry, blanks, tasks = Registry(), Blanks(), Tasks("server")
    compiler = adapters.Compiler(registry, blanks, None, tasks)
    for _ in range(2):
        await compiler.compile("python3.12", Path("/tree"), "/var/task")
    await tasks.finish(1)
    assert compiled == [(Path("/tree"), "python3.12")] * 2
    (tmp_path / "app.py").write_text("import boto3\n")
    for tenant_isolation, trees in ((False, []), (False, [tmp_path]), (True, [tmp_path])):
        await compiler.expect(version_of(tenant_isolation=tenant_isolation), trees)
    lineages = [Lineage(account_id="123456789012", with_sdk=with_sdk) for with_sdk in (False, True)]
    assert blanks.expected == [("python3.12", lineage) for lineage in (*lineages, None)]
    assert registry.shipped == ["python3.12"]


async def test_nothing_is_compiled_for_a_runtime_that_is_not_here(compiled):
    tasks, blanks = Tasks("server"), Blanks()
    await adapters.Compiler(Registry(), blanks, None, tasks).compile("ruby3.4", Path("/tree"), "/var/task")
    await tasks.finish(1)
    assert (compiled, blanks.expected) == ([], [])


def test_the_version_of_a_runtime_is_its_interpreters():
    runtimes = adapters.Runtimes(Registry(), ManualClock(), refuse_deprecated=False)
    assert (runtimes.version("python3.12"), runtimes.version("ruby3.4")) == ("3.12.7", "")
    assert runtimes.names() == ["python3.12"]
    assert runtimes.architecture in ("x86_64", "arm64")


def test_deprecated_runtimes_are_refused_only_where_that_is_wanted(monkeypatch):
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    wanted = adapters.Runtimes(Registry(), clock, refuse_deprecated=True)
    assert "python3.6" in (wanted.refusal("python3.6", creating=True) or "")
    assert wanted.refusal("python3.12", creating=True) is None
    unwanted = adapters.Runtimes(Registry(), clock, refuse_deprecated=False)
    assert "python3.6" in (unwanted.refusal("python3.6", creating=True) or ""), "it is not here anyway"
    monkeypatch.setattr(Registry, "installed_identifiers", lambda self: ["python3.6"])
    assert unwanted.refusal("python3.6", creating=True) is None


class Roles:
    def __init__(self, found, assumable):
        self.found, self.is_assumable, self.asked = found, assumable, []

    async def find_assumable(self, arn, service):
        self.asked.append((arn, service))
        return self.found if self.is_assumable else None


class Sessions:
    def issue(self, role, session_name, seconds, *, partition="aws"):
        return (role, session_name, seconds, partition)


async def test_a_function_gets_a_session_of_its_role_as_lambda_assumes_it():
    roles = Roles("role", assumable=True)
    issued = await adapters.FunctionCredentials(roles, Sessions(), 7200).issue(ROLE, "hello")
    assert issued == ("role", "hello", 7200, "aws-cn")
    assert roles.asked == [(ROLE, "lambda.amazonaws.com")]


@pytest.mark.parametrize("roles", [Roles(None, assumable=True), Roles("role", assumable=False)])
async def test_a_role_that_is_gone_or_does_not_trust_lambda_is_refused(roles):
    with pytest.raises(AccessDeniedException, match="cannot be assumed by Lambda"):
        await adapters.FunctionCredentials(roles, Sessions(), 1).issue(ROLE, "hello")
