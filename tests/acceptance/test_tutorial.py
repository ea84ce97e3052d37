"""docs/tutorial.md, pasted into a shell as a newcomer would, block by block."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from lambent_server import Lambent

TUTORIAL = Path(__file__).parents[2] / "docs/tutorial.md"
_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.M | re.S)
_END_OF_BLOCK = "=== end of block ==="


def script() -> str:
    """The blocks of one shell session, in their order; Python is saved and run. Not those that start the server."""
    lines = ["set -e -o pipefail"]
    for language, text in _BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")):
        if language == "python":
            lines += ["cat > deploy.py <<'DEPLOY'", text.rstrip(), "DEPLOY", "python3 deploy.py"]
        elif "lambent start" not in text and "lambent env" not in text:
            lines.append(text.rstrip())
        lines.append(f"echo; echo {shlex.quote(_END_OF_BLOCK)}")
    this = f"python3.{sys.version_info.minor}"
    return "\n".join(lines).replace("python3.11", this) + "\n"


@pytest.fixture(scope="module")
def said(lambent: Lambent, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block printed."""
    directory = tmp_path_factory.mktemp("newcomer")
    ran = subprocess.run(
        ["bash"],
        input=script(),
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(directory),
            "PYTHONWARNINGS": "ignore",
            "AWS_ENDPOINT_URL": lambent.server.access.endpoint,
            "AWS_ACCESS_KEY_ID": lambent.server.access.access_key_id,
            "AWS_SECRET_ACCESS_KEY": lambent.server.access.secret_access_key,
            "AWS_DEFAULT_REGION": "eu-west-3",
        },
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout.split(f"\n{_END_OF_BLOCK}\n")


def test_what_a_newcomer_pastes_works(said: list[str]) -> None:
    _, _, _, _, invoke, tail, fail, keep, event, boto3, _ = said
    assert '{"area": 42, "log_group": "/aws/lambda/area"}' in invoke
    assert re.search(
        r"^START RequestId: (\S+) Version: \$LATEST\n\[INFO\]\t\S+Z\t\1\t6 by 7 is 42\nEND", tail, re.M
    )
    assert "FunctionError" in fail
    assert '"errorType": "KeyError"' in fail
    assert '"ExecutedVersion": "1"' in keep
    assert '"StatusCode": 202' in event
    assert re.search(
        r"\{'hello': 'Ada', 'from': 'arn:aws:sts::\d{12}:assumed-role/worker/hello', 'memory': '128'\}", boto3
    )
    assert "'hello': 'Grace'" in boto3
