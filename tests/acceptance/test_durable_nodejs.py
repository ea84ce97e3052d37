"""Durable functions with AWS's own SDK for JavaScript."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from durable_functions import DurableFunctions
from lambent_server import RUNTIMES, Lambent

RUNTIME = "nodejs22.x"
PACKAGE = "@aws/durable-execution-sdk-js@2.4.0"
SOURCE = """
import { withDurableExecution } from "@aws/durable-execution-sdk-js";
import { readdirSync, writeFileSync } from "node:fs";

const flaky = async () => {
  const attempts = readdirSync("/tmp").length;
  writeFileSync(`/tmp/${attempts}`, "");
  if (attempts < 1) throw new Error("not yet");
  return attempts;
};
const retryStrategy = (error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 1 } });

export const handler = withDurableExecution(async (event, context) => {
  if (event.fail) throw new TypeError("gone wrong");
  const retried = await context.step("flaky", flaky, { retryStrategy });
  const mapped = await context.map("doubles", [1, 2], async (c, item) => c.step(async () => item * 2));
  const branches = await context.parallel("branches", [
    async (c) => c.step(async () => "a"),
    async (c) => { await c.wait({ seconds: 1 }); return "b"; },
  ]);
  const invoked = await context.invoke("plain", event.plain, { x: 1 });
  const options = { timeout: { seconds: 30 } };
  const approved = await context.waitForCallback("approval", async (id) => console.log(id), options);
  return { retried, mapped: mapped.getResults(), branches: branches.getResults(), invoked, approved };
});
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    npm = shutil.which("npm")
    if npm is None or RUNTIME not in RUNTIMES:
        pytest.skip("no Node.js here that the durable execution SDK runs on, with npm")
    target = tmp_path_factory.mktemp("durable-js")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(target), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        pytest.skip(f"npm cannot fetch the durable execution SDK: {done.stderr.strip().splitlines()[-1:]}")
    return {
        str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if _is_needed(path)
    }


def _is_needed(path: Path) -> bool:
    return path.suffix in (".js", ".mjs", ".cjs", ".json") and not {"dist-types", "dist-es"} & set(path.parts)


def test_from_its_first_step_to_its_end(lambent: Lambent, package: dict[str, bytes]) -> None:
    durable = DurableFunctions(lambent, {})
    plain = lambent.python("def handler(event, context): return ['plain', event]\n")
    name = lambent.deploy(
        {"index.mjs": SOURCE, **package},
        Runtime=RUNTIME,
        Role=durable.role,
        MemorySize=1024,
        DurableConfig={"ExecutionTimeout": 60},
    )
    arn = durable.start(name, {"plain": plain})
    callback = durable.event(arn, "CallbackStarted")["CallbackId"]
    durable.client.send_durable_execution_callback_success(CallbackId=callback, Result=b'"yes"')
    execution = durable.ended(arn)
    assert json.loads(execution["Result"]) == {
        "retried": 1,
        "mapped": [2, 4],
        "branches": ["a", "b"],
        "invoked": ["plain", {"x": 1}],
        "approved": '"yes"',
    }
    failed, answer = durable.run(name, {"fail": True})
    assert (failed["Status"], answer) == ("FAILED", {"errorMessage": "gone wrong", "errorType": "TypeError"})
