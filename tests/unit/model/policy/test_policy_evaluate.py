import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.policy import (
    Decision,
    Match,
    Outcome,
    Policies,
    PolicyKind,
    PolicyType,
    Principal,
    Request,
    denial_message,
    evaluate,
    parse_policy,
)

BUCKET = "arn:aws:s3:::b/k"
READ = Request(action="s3:GetObject", resource=BUCKET)


def policy(*statements, kind=PolicyKind.IDENTITY):
    return parse_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), kind)


def allow(action="s3:GetObject", resource="*", **members):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **members}


def deny(action="s3:GetObject", resource="*", **members):
    return {**allow(action, resource, **members), "Effect": "Deny"}


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow(), True),
        (allow("S3:getobject"), True),
        (allow("s3:*Object"), True),
        (allow("s3:Get?bject"), True),
        (allow("*"), True),
        (allow("s3:Put*"), False),
        (allow(["sqs:*", "s3:Get*"]), True),
        (allow(resource=BUCKET), True),
        (allow(resource="arn:aws:s3:::B/k"), False),
        (allow(resource="arn:aws:s3:::*"), True),
        (allow(resource="arn:aws:s3"), True),
        (allow(resource="arn:aws:sqs"), False),
        (allow(resource="arn:aws:s3:::b/${aws:userid}"), True),
        (allow(resource="arn:aws:s3:::b/${aws:username}"), False),
        ({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, False),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::c/*"}, True),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/*"}, False),
        (allow(Condition={"StringEquals": {"aws:UserId": "k"}}), True),
        (allow(Condition={"StringEquals": {"aws:userid": "k"}, "Null": {"aws:userid": "true"}}), False),
    ],
)
def test_what_a_statement_applies_to(statement, allowed):
    request = Request(action="s3:GetObject", resource=BUCKET, context={"aws:userid": ("k",)})
    assert evaluate([policy(statement)], request).allowed is allowed


def test_a_resource_that_has_no_arn_needs_a_star():
    request = Request(action="s3:ListAllMyBuckets", resource="*")
    assert evaluate([policy(allow("s3:*"))], request).allowed
    assert not evaluate([policy(allow("s3:*", "arn:aws:s3:::*"))], request).allowed


def test_the_statements_that_decided():
    evaluation = evaluate([policy(allow(Sid="a"), deny("sqs:*", Sid="b"), allow("s3:*", Sid="c"))], READ)
    assert [statement.sid for statement in evaluation.statements] == ["a", "c"]
    assert evaluate([], READ).statements == ()


STATEMENTS = st.builds(
    lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["*", "s3:*", "s3:Get*", "s3:Put*", "sqs:*"]),
    st.sampled_from(["*", BUCKET, "arn:aws:s3:::b/*", "arn:aws:s3:::c/*"]),
)
DOCUMENTS = st.lists(st.lists(STATEMENTS, min_size=1, max_size=3).map(lambda s: policy(*s)), max_size=3)


@given(DOCUMENTS, DOCUMENTS)
def test_an_explicit_deny_stays_whatever_is_added(documents, more):
    if evaluate(documents, READ).decision is Decision.EXPLICIT_DENY:
        assert evaluate(documents + more, READ).decision is Decision.EXPLICIT_DENY


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(documents, random):
    shuffled = random.sample(documents, len(documents))
    assert evaluate(shuffled, READ).decision is evaluate(documents, READ).decision


@given(DOCUMENTS, DOCUMENTS | st.none(), DOCUMENTS | st.none())
def test_every_kind_that_is_there_must_allow(identity, boundary, session):
    outcome = Policies(identity=identity, boundary=boundary, session=session).decide(READ)
    kinds = [kind for kind in (identity, boundary, session) if kind is not None]
    assert outcome.allowed is all(evaluate(kind, READ).allowed for kind in kinds)
    explicit = any(evaluate(kind, READ).decision is Decision.EXPLICIT_DENY for kind in kinds)
    assert (outcome.decision is Decision.EXPLICIT_DENY) is explicit
    if outcome == Outcome(Decision.IMPLICIT_DENY, PolicyType.IDENTITY):
        assert all(evaluate(kind, READ).allowed for kind in kinds[1:])


ME = Principal(
    account_id="111122223333",
    arn="arn:aws:sts::111122223333:assumed-role/r/s",
    role_arn="arn:aws:iam::111122223333:role/r",
)
LAMBDA = Principal(service="lambda.amazonaws.com")


@pytest.mark.parametrize(
    ("element", "me", "service"),
    [
        ("*", True, True),
        ({"AWS": "*"}, True, True),
        ({"AWS": "111122223333"}, True, False),
        ({"AWS": "arn:aws:iam::111122223333:root"}, True, False),
        ({"AWS": "444455556666"}, False, False),
        ({"AWS": "arn:aws:iam::111122223333:role/r"}, True, False),
        ({"AWS": "arn:aws:sts::111122223333:assumed-role/r/s"}, True, False),
        ({"AWS": "arn:aws:sts::111122223333:assumed-role/r/t"}, False, False),
        ({"Service": "lambda.amazonaws.com"}, False, True),
        ({"Service": "events.amazonaws.com"}, False, False),
        ({"Service": "lambda.amazonaws.com", "AWS": "111122223333"}, True, True),
        ({"Federated": "cognito-identity.amazonaws.com"}, False, False),
    ],
)
def test_principals(element, me, service):
    statement = {"Effect": "Allow", "Principal": element, "Action": "sts:AssumeRole"}
    documents = [policy(statement, kind=PolicyKind.TRUST)]
    for principal, named in ((ME, me), (LAMBDA, service)):
        request = Request(action="sts:AssumeRole", resource="arn", principal=principal)
        assert evaluate(documents, request).allowed is named


ROOT = Principal(account_id="111122223333", arn="arn:aws:iam::111122223333:root")


@pytest.mark.parametrize(
    ("element", "spared"),
    [
        ("*", [ME, ROOT, LAMBDA]),
        ({"AWS": "111122223333"}, [ROOT]),
        ({"AWS": ["111122223333", "arn:aws:iam::111122223333:role/r"]}, [ME, ROOT]),
        ({"AWS": "arn:aws:sts::111122223333:assumed-role/r/s"}, [ME]),
        ({"Service": "lambda.amazonaws.com"}, [LAMBDA]),
        ({"AWS": "444455556666"}, []),
    ],
)
def test_not_principal_denies_all_that_it_does_not_name(element, spared):
    statement = {"Effect": "Deny", "NotPrincipal": element, "Action": "*", "Resource": "*"}
    documents = [policy(statement, kind=PolicyKind.RESOURCE)]
    for principal in (ME, ROOT, LAMBDA):
        request = Request(action="s3:GetObject", resource=BUCKET, principal=principal)
        denied = evaluate(documents, request).decision is Decision.EXPLICIT_DENY
        assert denied is (principal not in spared)


@pytest.mark.parametrize(
    ("element", "principal", "match"),
    [
        ("111122223333", ME, Match.ACCOUNT),
        ("111122223333", ROOT, Match.DIRECT),
        ("arn:aws:iam::111122223333:role/r", ME, Match.DIRECT),
        ("444455556666", ROOT, Match.NONE),
    ],
)
def test_naming_an_account_is_not_naming_its_roles(element, principal, match):
    statement = {"Effect": "Allow", "Principal": {"AWS": element}, "Action": "sts:AssumeRole"}
    (parsed,) = policy(statement, kind=PolicyKind.TRUST).statements
    assert parsed.principal.match(principal) is match


def test_a_principal_element_needs_a_principal():
    document = policy({**allow(), "Principal": "*"}, kind=PolicyKind.RESOURCE)
    assert not evaluate([document], READ).allowed


def test_a_federated_principal():
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": "accounts.google.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    request = Request(
        action="sts:AssumeRoleWithWebIdentity",
        resource="arn",
        principal=Principal(federated="accounts.google.com"),
    )
    assert evaluate([policy(statement, kind=PolicyKind.TRUST)], request).allowed


@pytest.mark.parametrize(
    ("decision", "kind", "ending"),
    [
        (
            Decision.IMPLICIT_DENY,
            PolicyType.IDENTITY,
            "because no identity-based policy allows the a:B action",
        ),
        (
            Decision.IMPLICIT_DENY,
            PolicyType.BOUNDARY,
            "because no permissions boundary allows the a:B action",
        ),
        (Decision.IMPLICIT_DENY, PolicyType.SESSION, "because no session policy allows the a:B action"),
        (Decision.EXPLICIT_DENY, PolicyType.IDENTITY, "with an explicit deny in an identity-based policy"),
        (Decision.EXPLICIT_DENY, PolicyType.BOUNDARY, "with an explicit deny in a permissions boundary"),
        (Decision.EXPLICIT_DENY, PolicyType.SESSION, "with an explicit deny in a session policy"),
    ],
)
def test_denials_in_words(decision, kind, ending):
    message = denial_message("arn:me", "a:B", "arn:it", Outcome(decision, kind))
    assert message == f"User: arn:me is not authorized to perform: a:B on resource: arn:it {ending}"
