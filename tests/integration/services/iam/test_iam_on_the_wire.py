import json

import pytest
from botocore.exceptions import ClientError

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com", "AWS": "111122223333"},
            "Action": "sts:AssumeRole",
        }
    ],
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def document(action, effect="Allow"):
    statement = {"Sid": "A b+c/é", "Effect": effect, "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def iam(client):
    return client("iam")


@pytest.fixture
def role(iam):
    created = iam.create_role(
        RoleName="worker",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    return created["Role"]


def refused(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_a_role_comes_back_as_it_was_made(iam, role):
    assert role["AssumeRolePolicyDocument"] == TRUST
    found = iam.get_role(RoleName="worker")["Role"]
    assert found == role | {"MaxSessionDuration": 3600, "RoleLastUsed": {}}
    assert found["CreateDate"].isoformat() == "2023-11-14T22:13:20+00:00"
    assert found["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert [listed["RoleName"] for listed in iam.list_roles()["Roles"]] == ["worker"]


def test_policies_come_back_as_they_were_put(iam, role):
    iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=json.dumps(document("s3:*")))
    assert iam.get_role_policy(RoleName="worker", PolicyName="p")["PolicyDocument"] == document("s3:*")
    assert iam.list_role_policies(RoleName="worker")["PolicyNames"] == ["p"]
    policy = iam.create_policy(PolicyName="m", PolicyDocument=json.dumps(document("s3:*")))["Policy"]
    iam.create_policy_version(
        PolicyArn=policy["Arn"], PolicyDocument=json.dumps(document("sqs:*")), SetAsDefault=True
    )
    version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId="v2")["PolicyVersion"]
    assert (version["Document"], version["IsDefaultVersion"]) == (document("sqs:*"), True)
    iam.attach_role_policy(RoleName="worker", PolicyArn=policy["Arn"])
    iam.attach_role_policy(RoleName="worker", PolicyArn=BASIC)
    attached = iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]
    assert [found["PolicyName"] for found in attached] == ["AWSLambdaBasicExecutionRole", "m"]
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["AttachmentCount"] == 1
    entities = iam.list_entities_for_policy(PolicyArn=policy["Arn"])
    assert entities["PolicyRoles"] == [{"RoleName": "worker", "RoleId": role["RoleId"]}]
    assert iam.list_instance_profiles_for_role(RoleName="worker")["InstanceProfiles"] == []
    assert iam.get_account_summary()["SummaryMap"]["Policies"] == 1


def test_paginators_go_through_everything(iam):
    for number in range(5):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=json.dumps(TRUST))
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2}))
    assert [[role["RoleName"] for role in page["Roles"]] for page in pages] == [
        ["r0", "r1"],
        ["r2", "r3"],
        ["r4"],
    ]
    names = [
        policy["PolicyName"]
        for page in iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 7})
        for policy in page["Policies"]
    ]
    assert len(names) == len(set(names)) > 40


def test_errors_have_the_codes_and_statuses_that_sdks_know(iam, role):
    assert refused(iam.get_role, RoleName="ghost") == (
        "NoSuchEntity",
        404,
        "The role with name ghost cannot be found.",
    )
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="ghost")
    create = {"RoleName": "worker", "AssumeRolePolicyDocument": json.dumps(TRUST)}
    assert refused(iam.create_role, **create)[:2] == ("EntityAlreadyExists", 409)
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.update_assume_role_policy(RoleName="worker", PolicyDocument="{}")
    assert refused(iam.list_roles, Marker="!")[:2] == ("ValidationError", 400)
    iam.attach_role_policy(RoleName="worker", PolicyArn=BASIC)
    assert refused(iam.delete_role, RoleName="worker")[:2] == ("DeleteConflict", 409)


def test_simulation(iam):
    answer = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps(document("s3:Get*"))], ActionNames=["s3:GetObject", "s3:PutObject"]
    )
    assert [result["EvalDecision"] for result in answer["EvaluationResults"]] == ["allowed", "implicitDeny"]


def test_a_session_may_do_what_its_role_may(client, iam, role):
    sts = client("sts")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::111122223333:root"
    assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me")
    assert assumed["AssumedRoleUser"]["AssumedRoleId"] == f"{role['RoleId']}:me"
    credentials = assumed["Credentials"]
    assert credentials["Expiration"].isoformat() == "2023-11-14T23:13:20+00:00"
    mine = client("iam", credentials)
    me = client("sts", credentials).get_caller_identity()
    assert me["Arn"] == "arn:aws:sts::111122223333:assumed-role/worker/me"
    assert refused(mine.get_role, RoleName="worker") == (
        "AccessDenied",
        403,
        f"User: {me['Arn']} is not authorized to perform: iam:GetRole on resource: {role['Arn']} "
        "because no identity-based policy allows the iam:GetRole action",
    )
    iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=json.dumps(document("iam:Get*")))
    assert mine.get_role(RoleName="worker")["Role"]["RoleId"] == role["RoleId"]
    limited = sts.assume_role(
        RoleArn=role["Arn"], RoleSessionName="me", Policy=json.dumps({**document("iam:List*")})
    )["Credentials"]
    code, _, message = refused(client("iam", limited).get_role, RoleName="worker")
    assert code == "AccessDenied" and "no session policy allows" in message
    iam.delete_role_policy(RoleName="worker", PolicyName="p")
    iam.delete_role(RoleName="worker")
    assert refused(mine.get_role, RoleName="worker")[:2] == ("AccessDenied", 403)


def test_sts_refusals(client, iam, role):
    sts = client("sts")
    code, status, message = refused(sts.assume_role, RoleArn=role["Arn"] + "x", RoleSessionName="me")
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith(
        "User: arn:aws:iam::111122223333:root is not authorized to perform: sts:AssumeRole"
    )
    long = {"RoleArn": role["Arn"], "RoleSessionName": "me", "DurationSeconds": 43200}
    assert refused(sts.assume_role, **long)[:2] == ("ValidationError", 400)
    short = {**long, "DurationSeconds": 899}
    assert refused(sts.assume_role, **short)[:2] == ("ValidationError", 400)
    with pytest.raises(sts.exceptions.MalformedPolicyDocumentException):
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me", Policy="{}")


def test_a_root_session(client, iam, role):
    credentials = client("sts").get_session_token()["Credentials"]
    me = client("sts", credentials)
    assert me.get_caller_identity()["Arn"] == "arn:aws:iam::111122223333:root"
    assert me.get_access_key_info(AccessKeyId=credentials["AccessKeyId"])["Account"] == "111122223333"
    code, _, message = refused(client("iam", credentials).list_roles)
    assert code == "AccessDenied" and message.endswith("with an explicit deny in a session policy")
    assert me.assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
