import pytest

from lambent.services.iam.errors import InvalidInput, MalformedPolicyDocument, NoSuchEntity

ARN = "arn:aws:iam::111122223333:role/worker"


async def test_custom_policies(iam, allow):
    answer = await iam(
        "SimulateCustomPolicy",
        PolicyInputList=[allow("s3:Get*"), allow("s3:GetObject", "arn:aws:s3:::secret/*", "Deny")],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        ResourceArns=["arn:aws:s3:::open/a", "arn:aws:s3:::secret/a"],
    )
    decisions = {
        (result["EvalActionName"], result["EvalResourceName"]): result["EvalDecision"]
        for result in answer["EvaluationResults"]
    }
    assert decisions == {
        ("s3:GetObject", "arn:aws:s3:::open/a"): "allowed",
        ("s3:GetObject", "arn:aws:s3:::secret/a"): "explicitDeny",
        ("s3:PutObject", "arn:aws:s3:::open/a"): "implicitDeny",
        ("s3:PutObject", "arn:aws:s3:::secret/a"): "implicitDeny",
    }
    denied = answer["EvaluationResults"][1]
    assert denied["MatchedStatements"] == [
        {"SourcePolicyId": "PolicyInputList.2", "SourcePolicyType": "none"}
    ]


async def test_context_entries_and_the_keys_that_are_missing(iam, allow):
    document = allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}})
    request = {"PolicyInputList": [document], "ActionNames": ["s3:GetObject"]}
    (result,) = (await iam("SimulateCustomPolicy", **request))["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["aws:principaltag/team"]
    entry = {
        "ContextKeyName": "aws:PrincipalTag/team",
        "ContextKeyValues": ["blue"],
        "ContextKeyType": "string",
    }
    (result,) = (await iam("SimulateCustomPolicy", **request, ContextEntries=[entry]))["EvaluationResults"]
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", [])


async def test_a_principals_policies_within_its_boundary(iam, trust, allow):
    await iam(
        "CreateRole",
        RoleName="worker",
        AssumeRolePolicyDocument=trust,
        PermissionsBoundary="arn:aws:iam::aws:policy/AmazonS3FullAccess",
    )
    await iam("PutRolePolicy", RoleName="worker", PolicyName="p", PolicyDocument=allow(["s3:*", "sqs:*"]))
    answer = await iam(
        "SimulatePrincipalPolicy", PolicySourceArn=ARN, ActionNames=["s3:GetObject", "sqs:SendMessage"]
    )
    s3, sqs = answer["EvaluationResults"]
    assert s3["EvalDecision"] == "allowed"
    assert {"SourcePolicyId": "role_worker_p", "SourcePolicyType": "role"} in s3["MatchedStatements"]
    assert sqs["EvalDecision"] == "implicitDeny"
    assert sqs["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    answer = await iam(
        "SimulatePrincipalPolicy",
        PolicySourceArn=ARN,
        ActionNames=["sqs:SendMessage"],
        PermissionsBoundaryPolicyInputList=[allow("sqs:*")],
    )
    assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed"


async def test_results_are_paged(iam, allow):
    request = {"PolicyInputList": [allow("*")], "ActionNames": ["s3:A", "s3:B", "s3:C"]}
    first = await iam("SimulateCustomPolicy", **request, MaxItems=2)
    rest = await iam("SimulateCustomPolicy", **request, Marker=first["Marker"])
    names = [result["EvalActionName"] for page in (first, rest) for result in page["EvaluationResults"]]
    assert names == ["s3:A", "s3:B", "s3:C"]


async def test_what_is_not_simulated_is_refused(iam, allow):
    request = {"PolicyInputList": [allow("*")], "ActionNames": ["s3:A"]}
    with pytest.raises(InvalidInput, match="ResourcePolicy"):
        await iam("SimulateCustomPolicy", **request, ResourcePolicy=allow("*"))
    with pytest.raises(MalformedPolicyDocument):
        await iam("SimulateCustomPolicy", PolicyInputList=["{}"], ActionNames=["s3:A"])
    with pytest.raises(NoSuchEntity):
        await iam("SimulatePrincipalPolicy", PolicySourceArn=ARN, ActionNames=["s3:A"])
