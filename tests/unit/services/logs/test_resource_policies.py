"""Resource policies of CloudWatch Logs: kept by name, ten of them, and shown as AWS writes policies."""

import json

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.services.logs.exceptions import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.services.logs.resource_policies import ResourcePolicyOperations

CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
)
STATEMENT = {
    "Resource": "*",
    "Action": ["logs:PutLogEvents"],
    "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
    "Effect": "Allow",
}


@pytest.fixture
def policies() -> ResourcePolicyOperations:
    return ResourcePolicyOperations(MemoryRecords(MemoryDeliveries()), ManualClock())


async def put(policies: ResourcePolicyOperations, name: str = "p", document: str | None = None) -> dict:
    asked = {"policyName": name, "policyDocument": document or json.dumps({"Statement": [STATEMENT]})}
    return dict((await policies.put_resource_policy(CALLER, asked))["resourcePolicy"])


async def test_what_is_put_is_answered_as_it_was_and_listed_as_policies_are_written(policies):
    document = json.dumps({"Statement": [STATEMENT]})
    answered = await put(policies, document=document)
    assert (answered["policyName"], answered["policyDocument"]) == ("p", document)
    assert answered["policyScope"] == "ACCOUNT"
    (listed,) = (await policies.describe_resource_policies(CALLER, {}))["resourcePolicies"]
    assert listed["policyDocument"] == (
        '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":'
        '["events.amazonaws.com","delivery.logs.amazonaws.com"]},"Action":"logs:PutLogEvents","Resource":"*"}]}'
    )


async def test_there_are_ten_and_those_can_be_changed(policies):
    for number in range(10):
        await put(policies, f"p{number}")
    with pytest.raises(LimitExceededException, match="Resource limit exceeded"):
        await put(policies, "one more")
    await put(policies, "p3", json.dumps({"Version": "2012-10-17", "Statement": STATEMENT}))
    first = await policies.describe_resource_policies(CALLER, {"limit": 9})
    rest = await policies.describe_resource_policies(CALLER, {"limit": 9, "nextToken": first["nextToken"]})
    listed = first["resourcePolicies"] + rest["resourcePolicies"]
    assert [one["policyName"] for one in listed] == [f"p{number}" for number in range(10)]
    assert "nextToken" not in rest


async def test_a_policy_that_is_not_there_cannot_be_deleted(policies):
    await put(policies)
    await policies.delete_resource_policy(CALLER, {"policyName": "p"})
    with pytest.raises(ResourceNotFoundException, match=r"Policy with name \[p\] does not exist\."):
        await policies.delete_resource_policy(CALLER, {"policyName": "p"})


@pytest.mark.parametrize(
    "document", ["{", "[]", "{}", '{"Statement": [1]}', '{"Statement": {"Effect": "Maybe"}}']
)
async def test_what_is_no_policy_is_refused(policies, document):
    with pytest.raises(InvalidParameterException):
        await put(policies, document=document)


async def test_policies_of_single_groups_are_refused(policies):
    asked = {
        "policyName": "p",
        "policyDocument": "{}",
        "resourceArn": "arn:aws:logs:eu-west-1:123456789012:log-group:g",
    }
    with pytest.raises(InvalidParameterException, match="resourceArn"):
        await policies.put_resource_policy(CALLER, asked)
    with pytest.raises(InvalidParameterException, match="policyName"):
        await policies.put_resource_policy(CALLER, {"policyDocument": "{}"})
    assert (await policies.describe_resource_policies(CALLER, {"policyScope": "RESOURCE"}))[
        "resourcePolicies"
    ] == []
