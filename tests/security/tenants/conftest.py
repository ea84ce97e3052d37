"""One server with two accounts, and a role of the first that may do much, but not everything."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from lambent_server import PYTHON, TRUST, Lambent, zip_of

OURS, THEIRS = "111111111111", "222222222222"
CODE = zip_of({"index.py": "def handler(event, context): return 1"})


@dataclass
class Tenants:
    """Ours has a function `f`, a layer and the roles `guarded` and `dev`; theirs has a role and nothing else."""

    lambent: Lambent
    guarded_role: str
    their_role: str
    layer: str
    session: dict[str, str]

    def client(self, service: str, who: str, **settings: Any) -> Any:
        keys = {"aws_access_key_id": who, "aws_secret_access_key": "any"}
        return self.lambent.client(service, **(self.session if who == "session" else keys), **settings)

    def create(self, who: str, role: str, **settings: Any) -> Any:
        made = {"FunctionName": "f", "Runtime": PYTHON, "Handler": "index.handler", "Code": {"ZipFile": CODE}}
        return self.client("lambda", who).create_function(**made, Role=role, **settings)


@pytest.fixture(scope="package")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    if os.geteuid() != 0:
        pytest.skip("isolating functions needs root here")
    lambent = Lambent.start(tmp_path_factory.mktemp("tenants"), "--dev")
    made = Tenants(lambent, "", "", "", {})
    iam = made.client("iam", OURS)
    trust = json.dumps(TRUST)
    guarded = iam.create_role(RoleName="guarded", Path="/admins/", AssumeRolePolicyDocument=trust)
    made.guarded_role = guarded["Role"]["Arn"]
    theirs = made.client("iam", THEIRS).create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    made.their_role = theirs["Role"]["Arn"]
    made.create(OURS, made.guarded_role)
    layer = made.client("lambda", OURS).publish_layer_version(LayerName="l", Content={"ZipFile": CODE})
    made.layer = layer["LayerVersionArn"]
    for group in ("open", "secret"):
        made.client("logs", OURS).create_log_group(logGroupName=group)
    made.session = _session(made)
    yield made
    assert lambent.stop() == 0, lambent.log[-3000:]
    assert "Traceback" not in lambent.log, lambent.log[-8000:]


def _session(made: Tenants) -> dict[str, str]:
    iam = made.client("iam", OURS)
    trust = {"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": "sts:AssumeRole"}
    statements = [
        {"Effect": "Allow", "Action": ["lambda:*", "logs:*", "iam:Get*"], "Resource": "*"},
        {"Effect": "Deny", "Action": "iam:*", "Resource": f"arn:aws:iam::{OURS}:role/admins/*"},
        {"Effect": "Deny", "Action": "lambda:*", "Resource": f"arn:aws:lambda:*:{OURS}:layer:l:1"},
        {"Effect": "Deny", "Action": "lambda:*", "Resource": f"arn:aws:lambda:*:{OURS}:function:f"},
        {"Effect": "Deny", "Action": "logs:*", "Resource": f"arn:aws:logs:*:{OURS}:log-group:secret"},
    ]
    document = {"Version": "2012-10-17", "Statement": trust}
    role = iam.create_role(RoleName="dev", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="dev", PolicyName="p", PolicyDocument=policy)
    keys = made.client("sts", OURS).assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
