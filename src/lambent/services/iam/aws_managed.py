"""The managed policies that AWS owns (arn:aws:iam::aws:policy/…), as far as Lambda's users attach them.

Their documents are data: aws_managed.json, written from AWS's managed policy reference; ReadOnlyAccess is cut down to
the services that Lambda's users meet. The ids are ours.

Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsManagedPolicy:
    """Times are epoch seconds. Only the default version is known."""

    name: str
    path: str
    id: str
    description: str
    version_id: str
    created_at: float
    updated_at: float
    document: str

    def arn(self, partition: str = "aws") -> str:
        return f"arn:{partition}:iam::aws:policy{self.path}{self.name}"


@cache
def aws_managed_policies() -> Mapping[str, AwsManagedPolicy]:
    """By name."""
    entries = json.loads(files(__package__).joinpath("aws_managed.json").read_text("utf-8"))
    return MappingProxyType({entry["Name"]: _policy(entry) for entry in entries})


def find_aws_managed(arn: str) -> AwsManagedPolicy | None:
    partition, _, rest = arn.removeprefix("arn:").partition(":")
    if not rest.startswith("iam::aws:policy/"):
        return None
    policy = aws_managed_policies().get(rest.rpartition("/")[2])
    return policy if policy and policy.arn(partition) == arn else None


def _policy(entry: Mapping[str, object]) -> AwsManagedPolicy:
    document = json.dumps({"Version": "2012-10-17", "Statement": entry["Statement"]}, indent=4)
    return AwsManagedPolicy(
        name=str(entry["Name"]),
        path=str(entry["Path"]),
        id=str(entry["Id"]),
        description=str(entry["Description"]),
        version_id=str(entry["VersionId"]),
        created_at=_epoch(str(entry["Created"])),
        updated_at=_epoch(str(entry["Updated"])),
        document=document,
    )


def _epoch(date: str) -> float:
    return datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp()
