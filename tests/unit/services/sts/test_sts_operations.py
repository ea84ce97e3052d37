import json
from dataclasses import replace

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.credential import Credential
from lambent.model.policy import (
    Decision,
    Outcome,
    PolicyKind,
    PolicyType,
    Request,
    evaluate,
    parse_policy,
)
from lambent.model.role import Role
from lambent.services.sts import SessionTokens, service
from lambent.services.sts.errors import (
    AccessDenied,
    InvalidParameterValue,
    MalformedPolicyDocument,
    PackedPolicyTooLarge,
    ValidationError,
)

ARN = "arn:aws:iam::111122223333:role/x/worker"
ROOT = "arn:aws:iam::111122223333:root"
ALLOW_S3 = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
)
SILENT = Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY)


class Policies:
    """What the caller's own policies say, as set."""

    outcome = Outcome(Decision.ALLOWED)

    async def decide(self, caller, action, resource_arn):
        assert action in ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
        assert resource_arn == ARN
        return self.outcome


class NoKeys:
    def find(self, access_key_id, session_token):
        if access_key_id != "AKIAANYNAMEATALL0000":
            return None
        return Credential(
            access_key_id=access_key_id,
            secret_access_key="",
            account_id="444455556666",
            principal_arn="",
            user_id="",
        )


@pytest.fixture
def policies():
    return Policies()


@pytest.fixture
def sessions(clock):
    return SessionTokens(bytes(32), clock)


@pytest.fixture
def sts(role_store, clock, sessions, policies, root):
    offered = service(role_store, clock, sessions, policies, NoKeys(), MemoryRecords(MemoryDeliveries()))

    async def call(operation, caller=root, **parameters):
        return await offered.operations[operation](caller, parameters)

    return call


@pytest.fixture
def trust(role_store):
    """Stores the role, trusting whom it is told to."""

    async def create(principal, **members):
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | members
        role = Role(
            account_id="111122223333",
            name="worker",
            path="/x/",
            id="AROAABCDEFGHIJKLMNOPQ",
            trust_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            max_session_duration=7200,
            created_at=0.0,
        )
        await role_store.insert(role)
        return role

    return create


@pytest.fixture
def other_role(root):
    return replace(
        root,
        principal_arn="arn:aws:sts::111122223333:assumed-role/other/me",
        role_arn="arn:aws:iam::111122223333:role/other",
        user_id="AROAOTHER:me",
        access_key_id="ASIAIOSFODNN7EXAMPLE",
    )


async def test_who_calls(sts, root, other_role):
    assert await sts("GetCallerIdentity") == {
        "UserId": "111122223333",
        "Account": "111122223333",
        "Arn": ROOT,
    }
    answer = await sts("GetCallerIdentity", caller=other_role)
    assert answer["Arn"] == "arn:aws:sts::111122223333:assumed-role/other/me"


async def test_assuming_a_role(sts, trust, sessions, clock):
    await trust({"AWS": "111122223333"})
    answer = await sts("AssumeRole", RoleArn=ARN, RoleSessionName="me")
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": "AROAABCDEFGHIJKLMNOPQ:me",
        "Arn": "arn:aws:sts::111122223333:assumed-role/worker/me",
    }
    credentials = answer["Credentials"]
    assert credentials["Expiration"] == clock.now() + 3600
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert found.secret_access_key == credentials["SecretAccessKey"]
    assert found.role_arn == ARN
    assert answer["SessionTokenSize"] == len(credentials["SessionToken"])
    assert "PackedPolicySize" not in answer


DENIED = rf"User: {ROOT} is not authorized to perform: sts:AssumeRole on resource: {ARN}"


async def test_a_role_that_is_missing_and_one_that_does_not_trust_are_refused_alike(sts, trust):
    with pytest.raises(AccessDenied, match=DENIED):
        await sts("AssumeRole", RoleArn=ARN, RoleSessionName="me")
    await trust({"Service": "lambda.amazonaws.com"})
    with pytest.raises(AccessDenied, match=DENIED):
        await sts("AssumeRole", RoleArn=ARN, RoleSessionName="me")


async def test_a_role_is_named_with_its_path(sts, trust):
    await trust({"AWS": "111122223333"})
    with pytest.raises(AccessDenied):
        await sts("AssumeRole", RoleArn=ARN.replace("/x/", "/"), RoleSessionName="me")
    with pytest.raises(ValidationError):
        await sts("AssumeRole", RoleArn="this is not an arn at all", RoleSessionName="me")


@pytest.mark.parametrize(
    ("principal", "outcome", "allowed"),
    [
        # Only the account is named: the caller's policies decide.
        ("111122223333", Outcome(Decision.ALLOWED), True),
        ("111122223333", SILENT, False),
        (ROOT, SILENT, False),
        # The caller is named: that is enough, unless something denies.
        ("arn:aws:iam::111122223333:role/other", SILENT, True),
        ("arn:aws:sts::111122223333:assumed-role/other/me", SILENT, True),
        ("*", SILENT, True),
        ("*", Outcome(Decision.EXPLICIT_DENY, PolicyType.IDENTITY), False),
        ("*", Outcome(Decision.IMPLICIT_DENY, PolicyType.BOUNDARY), False),
        ("*", Outcome(Decision.IMPLICIT_DENY, PolicyType.SESSION), False),
        # Others are named.
        ("arn:aws:sts::111122223333:assumed-role/other/you", Outcome(Decision.ALLOWED), False),
        ("arn:aws:iam::111122223333:role/another", Outcome(Decision.ALLOWED), False),
        ("999999999999", Outcome(Decision.ALLOWED), False),
    ],
)
async def test_trust_and_the_callers_own_policies(
    sts, trust, policies, other_role, principal, outcome, allowed
):
    await trust({"AWS": principal})
    policies.outcome = outcome
    attempt = sts("AssumeRole", caller=other_role, RoleArn=ARN, RoleSessionName="me")
    if allowed:
        assert (await attempt)["Credentials"]
    else:
        with pytest.raises(AccessDenied):
            await attempt


async def test_across_accounts_both_must_allow(sts, trust, policies, other_role):
    stranger = replace(
        other_role,
        account_id="444455556666",
        principal_arn="arn:aws:sts::444455556666:assumed-role/other/me",
        role_arn="arn:aws:iam::444455556666:role/other",
    )
    await trust({"AWS": stranger.role_arn})
    assert await sts("AssumeRole", caller=stranger, RoleArn=ARN, RoleSessionName="me")
    policies.outcome = SILENT
    with pytest.raises(AccessDenied):
        await sts("AssumeRole", caller=stranger, RoleArn=ARN, RoleSessionName="me")


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"StringEquals": {"sts:ExternalId": "secret"}}, True),
        ({"StringEquals": {"sts:ExternalId": "other"}}, False),
        ({"StringLike": {"sts:RoleSessionName": "m*"}}, True),
        ({"StringLike": {"sts:RoleSessionName": "${aws:userid}"}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.1"}}, True),
    ],
)
async def test_conditions_of_the_trust_policy(sts, trust, condition, allowed):
    await trust({"AWS": "111122223333"}, Condition=condition)
    attempt = sts("AssumeRole", RoleArn=ARN, RoleSessionName="me", ExternalId="secret")
    if allowed:
        await attempt
    else:
        with pytest.raises(AccessDenied):
            await attempt


async def test_durations(sts, trust, other_role, clock):
    await trust({"AWS": "*"})
    answer = await sts("AssumeRole", RoleArn=ARN, RoleSessionName="me", DurationSeconds=7200)
    assert answer["Credentials"]["Expiration"] == clock.now() + 7200
    with pytest.raises(ValidationError, match="MaxSessionDuration"):
        await sts("AssumeRole", RoleArn=ARN, RoleSessionName="me", DurationSeconds=7201)
    with pytest.raises(ValidationError, match="1 hour session limit"):
        await sts("AssumeRole", caller=other_role, RoleArn=ARN, RoleSessionName="me", DurationSeconds=3601)


async def test_session_policies_go_into_the_session(sts, trust, sessions):
    await trust({"AWS": "111122223333"})
    managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    answer = await sts(
        "AssumeRole", RoleArn=ARN, RoleSessionName="me", Policy=ALLOW_S3, PolicyArns=[{"arn": managed}]
    )
    credentials = answer["Credentials"]
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert found.session_policies == (managed, ALLOW_S3)
    assert 0 < answer["PackedPolicySize"] < 20


async def test_session_policies_that_are_refused(sts, trust):
    await trust({"AWS": "111122223333"})
    request = {"RoleArn": ARN, "RoleSessionName": "me"}
    with pytest.raises(MalformedPolicyDocument):
        await sts("AssumeRole", **request, Policy="{}")
    with pytest.raises(PackedPolicyTooLarge):
        await sts("AssumeRole", **request, Policy=ALLOW_S3.replace("s3:*", "s3:" + "x" * 2048))
    for arn in ("arn:aws:iam::999999999999:policy/p", "{}", ALLOW_S3):
        with pytest.raises(ValidationError):
            await sts("AssumeRole", **request, PolicyArns=[{"arn": arn}])


TAGGING = ["sts:AssumeRole", "sts:TagSession"]
REQUEST = {"RoleArn": ARN, "RoleSessionName": "me"}


def tags(**given):
    return [{"Key": key, "Value": value} for key, value in given.items()]


async def test_what_sessions_cannot_carry_is_refused_by_name(sts, trust):
    await trust({"AWS": "111122223333"})
    with pytest.raises(ValidationError, match="ProvidedContexts"):
        await sts("AssumeRole", **REQUEST, ProvidedContexts=[{"ProviderArn": "x"}])


async def test_tags_of_sessions_need_a_permission_of_their_own(sts, trust, sessions):
    await trust({"AWS": "111122223333"})
    for given, action in (
        ({"Tags": tags(k="v")}, "TagSession"),
        ({"SourceIdentity": "ann"}, "SetSourceIdentity"),
    ):
        with pytest.raises(AccessDenied, match=f"not authorized to perform: sts:{action} on resource: {ARN}"):
            await sts("AssumeRole", **REQUEST, **given)


async def test_transitive_tags_go_on_to_further_sessions(sts, trust, sessions, other_role):
    await trust({"AWS": "111122223333"}, Action=TAGGING)
    answer = await sts(
        "AssumeRole", **REQUEST, Tags=tags(team="blue", stage="test"), TransitiveTagKeys=["team"]
    )
    assert 0 < answer["PackedPolicySize"] <= 100
    credentials = answer["Credentials"]
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert found.session.tags == {"team": "blue", "stage": "test"}
    further = replace(other_role, session=found.session)
    answer = await sts("AssumeRole", further, **REQUEST, Tags=tags(stage="live"))
    credentials = answer["Credentials"]
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert found.session.tags == {"team": "blue", "stage": "live"}
    assert found.session.transitive_tag_keys == ("team",)
    with pytest.raises(
        InvalidParameterValue, match="conflicts with a transitive tag key from the calling session"
    ):
        await sts("AssumeRole", further, **REQUEST, Tags=tags(TEAM="red"))


async def test_tags_that_do_not_go_together(sts, trust):
    await trust({"AWS": "111122223333"}, Action=TAGGING)
    with pytest.raises(
        InvalidParameterValue, match="transitive tag key must be included in the requested tags"
    ):
        await sts("AssumeRole", **REQUEST, Tags=tags(a="1"), TransitiveTagKeys=["b"])
    with pytest.raises(InvalidParameterValue, match="Duplicate tag keys found"):
        await sts("AssumeRole", **REQUEST, Tags=tags(a="1", A="2"))


async def test_conditions_ask_about_the_tags_that_are_requested(sts, trust):
    condition = {
        "StringEquals": {"aws:RequestTag/team": "blue"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    await trust({"AWS": "111122223333"}, Action=TAGGING, Condition=condition)
    await sts("AssumeRole", **REQUEST, Tags=tags(team="blue"))
    for given in (tags(team="red"), tags(team="blue", more="x")):
        with pytest.raises(AccessDenied):
            await sts("AssumeRole", **REQUEST, Tags=given)


async def test_a_source_identity_stays(sts, trust, sessions, other_role):
    await trust({"AWS": "111122223333"}, Action=["sts:AssumeRole", "sts:SetSourceIdentity"])
    answer = await sts("AssumeRole", **REQUEST, SourceIdentity="ann")
    assert answer["SourceIdentity"] == "ann"
    credentials = answer["Credentials"]
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    further = replace(other_role, session=found.session)
    assert (await sts("AssumeRole", further, **REQUEST))["SourceIdentity"] == "ann"
    with pytest.raises(AccessDenied, match="SourceIdentity"):
        await sts("AssumeRole", further, **REQUEST, SourceIdentity="bob")


@pytest.mark.parametrize(
    "arn",
    [
        "nothing-valid-in-here",
        "arn::b:::something/test-role",
        "arn:a::::something/test-role",
        "arn:a:::something/test-role",
        "arn:a:a::aaaaaaaaaa:",
    ],
)
async def test_what_is_no_arn_of_a_role(sts, arn):
    with pytest.raises(ValidationError, match=f"^{arn} is invalid$"):
        await sts("AssumeRole", RoleArn=arn, RoleSessionName="me")


async def test_a_federated_user(sts, sessions, root, other_role):
    answer = await sts("GetFederationToken", Name="visitor", Tags=tags(team="blue"))
    assert answer["FederatedUser"] == {
        "FederatedUserId": "111122223333:visitor",
        "Arn": "arn:aws:sts::111122223333:federated-user/visitor",
    }
    credentials = answer["Credentials"]
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert found.principal_arn == answer["FederatedUser"]["Arn"]
    assert (found.session.issuer_arn, found.session.tags) == (ROOT, {"team": "blue"})
    documents = [parse_policy(policy, PolicyKind.IDENTITY) for policy in found.session_policies]
    assert not evaluate(documents, Request(action="s3:GetObject", resource="*")).allowed
    user = replace(root, principal_arn="arn:aws:iam::111122223333:user/ann", user_id="AIDAANN")
    credentials = (await sts("GetFederationToken", user, Name="v", Policy=ALLOW_S3))["Credentials"]
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    documents = [parse_policy(policy, PolicyKind.IDENTITY) for policy in found.session_policies]
    assert evaluate(documents, Request(action="s3:GetObject", resource="*")).allowed
    assert not evaluate(documents, Request(action="iam:GetUser", resource="*")).allowed
    assert (found.session.issuer_arn, found.session.issuer_id) == (user.principal_arn, "AIDAANN")
    with pytest.raises(AccessDenied, match="Cannot call GetFederationToken with session credentials"):
        await sts("GetFederationToken", other_role, Name="v")


async def test_mfa_is_refused(sts, trust):
    await trust({"AWS": "111122223333"})
    mfa = {"SerialNumber": "arn:aws:iam::111122223333:mfa/me", "TokenCode": "123456"}
    with pytest.raises(AccessDenied, match="MFA"):
        await sts("AssumeRole", RoleArn=ARN, RoleSessionName="me", **mfa)
    with pytest.raises(AccessDenied, match="MFA"):
        await sts("GetSessionToken", **mfa)


async def test_a_session_of_the_root_lasts_an_hour_at_most(sts, sessions, clock, other_role):
    answer = await sts("GetSessionToken", DurationSeconds=129600)
    credentials = answer["Credentials"]
    assert credentials["Expiration"] == clock.now() + 3600
    found = sessions.find(credentials["AccessKeyId"], credentials["SessionToken"])
    assert found.principal_arn == ROOT
    (policy,) = found.session_policies
    for action, allowed in (("lambda:Invoke", True), ("iam:ListRoles", False)):
        documents = [parse_policy(policy, PolicyKind.IDENTITY)]
        assert evaluate(documents, Request(action=action, resource="*")).allowed is allowed
    with pytest.raises(AccessDenied, match="Cannot call GetSessionToken with session credentials"):
        await sts("GetSessionToken", caller=other_role)


async def test_whose_an_access_key_is(sts, root):
    assert await sts("GetAccessKeyInfo", AccessKeyId="AKIAANYNAMEATALL0000") == {"Account": "444455556666"}
    made = SessionTokens(bytes(32), ManualClock()).issue_own(replace(root, account_id="000000000001"), 900)
    assert await sts("GetAccessKeyInfo", AccessKeyId=made.access_key_id) == {"Account": "000000000001"}
    with pytest.raises(ValidationError):
        await sts("GetAccessKeyInfo", AccessKeyId="AKIA1111111111111111")


def test_the_resource_of_an_operation(role_store, clock, sessions, policies, root):
    offered = service(role_store, clock, sessions, policies, NoKeys(), MemoryRecords(MemoryDeliveries()))
    assert offered.resource_arn("AssumeRole", root, {"RoleArn": ARN}) == ARN
    assert offered.resource_arn("GetCallerIdentity", root, {}) == "*"
