"""Who may do what with a bus, beside its own account: its policy, and AWS services on the default bus.

S3 or CloudWatch tell the default bus of the account they act for what has happened, without being let in first.
"""

import json
from typing import Any

from lambent.base.arn import partition_of
from lambent.model.event_bus import DEFAULT_BUS, EventBus, bus_arn
from lambent.model.resource_policy import ResourcePolicy
from lambent.store.ports.named_records import Name


def effective_policy(name: Name, bus: EventBus) -> ResourcePolicy:
    document = bus.policy
    if name.name == DEFAULT_BUS:
        statements = [*policy_statements(document), _services(name)]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return ResourcePolicy(account_id=name.account_id, document=document)


def policy_statements(document: str | None) -> list[dict[str, Any]]:
    if document is None:
        return []
    statements = json.loads(document)["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _services(name: Name) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": bus_arn(partition_of(name.region), name.region, name.account_id, name.name),
        "Condition": {
            "Bool": {"aws:PrincipalIsAWSService": "true"},
            "StringEquals": {"aws:SourceAccount": name.account_id},
        },
    }
