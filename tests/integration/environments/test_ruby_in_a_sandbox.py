"""A Ruby function in a real sandbox, from a blank to its answer.

Functions can only be created with the identifiers that AWS has, and a distribution's Ruby is mostly none of these: so
the environment is made here without the control plane, of whatever Ruby the host has.
"""

import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sandboxes import UID_COUNT, UID_FIRST, needs_root

from lambent.base.clock import SystemClock
from lambent.environments.blank import Handler
from lambent.environments.blanks import Blanks
from lambent.environments.environment import Environment
from lambent.environments.log_delivery import LogDelivery
from lambent.environments.surroundings import Surroundings, Trees
from lambent.http.listener import HttpListener
from lambent.model.credential import Credential
from lambent.model.function import CodeReference, FunctionId, FunctionVersion, LoggingConfig
from lambent.model.invocation import Invocation
from lambent.runtimes.install import RuntimeInstall
from lambent.runtimes.interpreters import Interpreters, usual_directories
from lambent.runtimes.registry import RuntimeRegistry, best_interpreters
from lambent.sandbox.namespaces import NamespacesBackend

pytestmark = needs_root

HELLO = FunctionId("123456789012", "eu-west-1", "hello")
SOURCE = """
require 'fromlayer'
require 'openssl'
def lambda_handler(event:, context:)
  puts 'handling'
  raise ArgumentError, 'no' if event == 'raise'
  [event, LAYER, ENV['AWS_EXECUTION_ENV'], Process.uid > 0, RbConfig.ruby, OpenSSL::Digest::SHA256.hexdigest('x')[0, 6]]
end
"""


class Store:
    def __init__(self) -> None:
        self.messages: list[str] = []

    async def append_many(self, batches: Any) -> None:
        self.messages += [event.message for *_, events in batches for event in events]


class Issuer:
    async def issue(self, role_arn: str, session_name: str) -> Credential:
        return Credential(
            access_key_id="ASIA", secret_access_key="s", session_token="t",
            account_id="123456789012", principal_arn=role_arn, user_id="AROA",
        )  # fmt: skip


async def serve(sock: socket.socket, handler: Handler) -> HttpListener:
    listener = HttpListener(handler)
    await listener.start_on(sock)
    return listener


@pytest.fixture(scope="module")
def install() -> RuntimeInstall:
    found = best_interpreters(Interpreters().find([], usual_directories([], Path.home())))
    rubies = [name for name in found if name.startswith("ruby")]
    if not rubies:
        pytest.skip("no Ruby here")
    made = RuntimeRegistry(home=Path.home()).get(max(rubies))
    assert made is not None
    return made


@pytest.fixture
async def environment(tmp_path: Path, install: RuntimeInstall) -> AsyncIterator[tuple[Environment, Store]]:
    for name in ("task", "layer/ruby/lib"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "task/lambda_function.rb").write_text(SOURCE)
    (tmp_path / "layer/ruby/lib/fromlayer.rb").write_text("LAYER = 'layer'\n")
    backend = NamespacesBackend(tmp_path / "state", uid_first=UID_FIRST, uid_count=UID_COUNT)
    await backend.open()
    store, clock = Store(), SystemClock()
    blanks = Blanks(backend, serve, serve, stock=0)  # type: ignore[arg-type]
    logs = LogDelivery(store, clock, 0.01)  # type: ignore[arg-type]
    around = Surroundings(
        blanks=blanks, credentials=Issuer(), logs=logs, clock=clock, init_timeout_seconds=10
    )
    version = FunctionVersion(
        function=HELLO,
        runtime=install.identifier,
        handler="lambda_function.lambda_handler",
        role="arn:aws:iam::123456789012:role/r",
        code=CodeReference(digest="d", sha256="s", size=1),
        logging=LoggingConfig(log_group="/aws/lambda/hello"),
        last_modified=0.0,
        revision_id="1",
        state="Active",
    )
    made = Environment(version, install, Trees(task=tmp_path / "task", layers=tmp_path / "layer"), around)
    await made.start()
    yield made, store
    await made.stop()
    await logs.flush()
    await blanks.close()
    await backend.close()


def invocation(event: Any) -> Invocation:
    return Invocation(
        request_id="r-1",
        function=HELLO,
        invoked_arn="arn:f",
        payload=json.dumps(event).encode(),
        tail_log=True,
    )


async def test_a_function_with_a_layer(
    environment: tuple[Environment, Store], install: RuntimeInstall
) -> None:
    made, _ = environment
    result = await made.invoke(invocation({"a": 1}))
    assert result.function_error is None, result
    event, layer, where, ours, ruby, digest = json.loads(result.payload)
    assert (event, layer, where) == ({"a": 1}, "layer", f"AWS_Lambda_{install.identifier}")
    assert ours
    assert digest == "2d7116"
    assert Path(ruby).name.startswith("ruby")
    assert b"handling" in result.log_tail
    failed = await made.invoke(invocation("raise"))
    assert json.loads(failed.payload) == {
        "errorMessage": "no",
        "errorType": "Function<ArgumentError>",
        "stackTrace": [json.loads(failed.payload)["stackTrace"][0]],
    }
    assert json.loads(failed.payload)["stackTrace"][0].startswith("/var/task/lambda_function.rb:6:in ")
    assert made.reusable
