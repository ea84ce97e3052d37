"""The AWS CLI against a running server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lambent_server import REGION, Lambent

AWS = Path(sys.executable).parent / "aws"


class CliError(Exception):
    """The command failed; the message is what it wrote to standard error."""


def aws(lambent: Lambent, *arguments: str, **variables: str) -> Any:
    """Runs `aws …` and returns its JSON, {} where it wrote none. Raises CliError."""
    written = aws_text(lambent, *arguments, **variables)
    return json.loads(written) if written.strip() else {}


def aws_text(lambent: Lambent, *arguments: str, **variables: str) -> str:
    """Runs `aws …` and returns what it wrote. Raises CliError."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "AWS_ENDPOINT_URL": lambent.endpoint,
        "AWS_ACCESS_KEY_ID": lambent.server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": lambent.server.secret_access_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        **variables,
    }
    ran = subprocess.run(
        [str(AWS), *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    if ran.returncode != 0:
        raise CliError(ran.stderr.strip())
    return ran.stdout
