import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.model.policy import MalformedPolicyError, PolicyKind, parse_policy

GOOD = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}
SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def refusal(document, kind=PolicyKind.IDENTITY):
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(MalformedPolicyError) as caught:
        parse_policy(text, kind)
    return str(caught.value)


def identity(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    "document",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
        '{"Version": "2012-10-17", "Statement": NaN}',
        "[" * 100_000,
        {"Version": "2012-10-17"},
        {"Version": "2013-10-17", "Statement": GOOD},
        {"Version": "2012-10-17", "Statement": []},
        {"Version": "2012-10-17", "Statement": ["x"]},
        {"Version": "2012-10-17", "Statement": GOOD, "Extra": 1},
        {"Version": "2012-10-17", "Statement": GOOD, "Id": {}},
        identity(GOOD | {"Extra": 1}),
        identity(GOOD | {"Sid": []}),
        identity(GOOD | {"Effect": "Maybe"}),
        identity({"Action": "s3:*", "Resource": "*"}),
        identity(GOOD | {"NotAction": "s3:*"}),
        identity(GOOD | {"NotResource": "*"}),
        identity(GOOD | {"Action": {}}),
        identity(GOOD | {"Action": [["s3:*"]]}),
        identity(GOOD | {"Resource": {"a": "*"}}),
        identity(GOOD | {"Condition": []}),
        identity(GOOD | {"Condition": {"StringEquals": "x"}}),
        identity(GOOD | {"Condition": {"StringEquals": {"a": {}}}}),
        identity(GOOD | {"Condition": {"NoSuchOperator": {"a": "b"}}}),
    ],
)
def test_syntax_errors(document):
    assert refusal(document) == SYNTAX


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Effect": "allow"}, LEGACY),
        ({"Condition": {"DateLessThan": {"a": "234-13"}}}, LEGACY),
        ({"Resource": "arn:aws:s3::b"}, LEGACY),
        ({"Resource": "arn:aws::::b"}, LEGACY),
        ({"Action": []}, "Policy statement must contain actions."),
        ({"Resource": []}, "Policy statement must contain resources."),
        ({"Action": "ListBucket"}, VENDOR),
        ({"Action": ""}, VENDOR),
        ({"Action": "a a:ListBucket"}, "Vendor a a is not valid"),
        ({"Action": "s3:List:Bucket"}, "Actions/Condition can contain only one colon."),
        ({"Resource": "b"}, 'Resource b must be in ARN format or "*".'),
        ({"Resource": ""}, 'Resource  must be in ARN format or "*".'),
        ({"Resource": "aws:s3:::b"}, 'Partition "s3" is not valid for resource "arn:s3:::b:*".'),
        ({"Resource": "arn:x:s3:::b"}, 'Partition "x" is not valid for resource "arn:x:s3:::b".'),
        ({"Resource": "arn:aws"}, "Resource vendor must be fully qualified and cannot contain regexes."),
        (
            {"Resource": "arn:aws:*:::b"},
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (
            {"Resource": "arn:aws:s3:eu-west-1::b"},
            "Resource arn:aws:s3:eu-west-1::b can not contain region information.",
        ),
        (
            {"Resource": "arn:aws:iam:eu-west-1::role/x"},
            "IAM resource arn:aws:iam:eu-west-1::role/x cannot contain region information.",
        ),
        ({"Principal": "*"}, "Policy document should not specify a principal."),
    ],
)
def test_messages(statement, message):
    assert refusal(identity(GOOD | statement)) == message


def test_more_messages():
    assert refusal(identity(GOOD | {"Resource": "arn:aws:iam::1:thing"})).startswith(
        'IAM resource path must either be "*" or start with user/, federated-user/, role/,'
    )
    twice = identity(GOOD | {"Sid": "s"}, GOOD | {"Sid": "s"})
    assert refusal(twice) == "Statement IDs (SID) in a single policy must be unique."
    for version in ({}, {"Version": "2008-10-17"}):
        message = refusal({"Statement": GOOD, **version})
        assert message == "Policy document must be version 2012-10-17 or greater."


@pytest.mark.parametrize(
    "statement",
    [
        {},
        {"Action": "*"},
        {"Action": "iam: asdf safdsf af "},
        {"Action": ["s3:Get*", "sqs:?end*"], "Sid": ""},
        {"Resource": "*"},
        {"Resource": ["arn:aws:s3:::b", "*"]},
        {"Resource": "arn:aws:fdsasf"},
        {"Resource": "arn:aws-cn:s3:::b"},
        {"Resource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"},
        {"Resource": "arn:aws:sqs:*:${aws:PrincipalAccount}:q"},
        {"Resource": "arn:aws:iam::1:role/x"},
        {"Resource": "arn:aws:iam:::user/x"},
        {"Condition": {}},
        {"Condition": {"DateGreaterThan": {}}},
        {"Condition": {"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"s3:max-keys": 10}}},
    ],
)
def test_what_is_accepted(statement):
    (parsed,) = parse_policy(json.dumps(identity(GOOD | statement)), PolicyKind.IDENTITY).statements
    assert parsed.effect == "Allow"


def test_one_statement_needs_no_list():
    document = json.dumps({"Version": "2012-10-17", "Statement": GOOD})
    assert parse_policy(document, PolicyKind.IDENTITY) == parse_policy(
        json.dumps(identity(GOOD)), PolicyKind.IDENTITY
    )


TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Resource": "*"}, "Has prohibited field Resource"),
        ({"NotResource": "*"}, "Has prohibited field Resource"),
        ({"Principal": None}, "Missing required field Principal"),
        ({"Principal": {}}, "Missing required field Principal cannot be empty!"),
        ({"Principal": "lambda"}, 'Invalid principal in policy: "STAR":"lambda"'),
        ({"Principal": {"AWS": "me"}}, 'Invalid principal in policy: "AWS":"me"'),
        ({"Principal": {"AWS": "12345"}}, 'Invalid principal in policy: "AWS":"12345"'),
        ({"Principal": {"Service": "lambda"}}, 'Invalid principal in policy: "SERVICE":"lambda"'),
        ({"Principal": {"Someone": "x"}}, SYNTAX),
        ({"Principal": {"AWS": []}}, SYNTAX),
        ({"Principal": {"AWS": [1]}}, SYNTAX),
        ({"NotPrincipal": "*"}, SYNTAX),
        ({"Action": None}, SYNTAX),
    ],
)
def test_refused_trust_policies(change, message):
    assert refusal(identity(TRUST | change), PolicyKind.TRUST) == message


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": "123456789012"},
        {"AWS": ["arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:role/a/b"]},
        {"AWS": "arn:aws:sts::123456789012:assumed-role/r/s"},
        {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]},
        {"Federated": "arn:aws:iam::123456789012:oidc-provider/x", "AWS": "123456789012"},
    ],
)
def test_accepted_trust_policies(principal):
    for version in ("2008-10-17", "2012-10-17"):
        document = {"Version": version, "Statement": TRUST | {"Principal": principal}}
        assert parse_policy(json.dumps(document), PolicyKind.TRUST).statements[0].resource is None


def test_a_trust_policy_that_is_no_json():
    assert refusal("{", PolicyKind.TRUST) == "This policy contains invalid Json"


def test_a_resource_policy_has_principal_and_resource():
    document = identity(TRUST | {"Resource": "arn:aws:s3:::b/*"})
    (statement,) = parse_policy(json.dumps(document), PolicyKind.RESOURCE).statements
    assert statement.principal is not None and statement.resource is not None
    assert refusal(identity(TRUST), PolicyKind.RESOURCE) == "Policy statement must contain resources."


def test_not_principal_is_for_denials_by_resource_policies():
    statement = {"NotPrincipal": "*", "Action": "s3:*", "Effect": "Deny"}
    assert refusal(identity(statement), PolicyKind.TRUST) == "Has prohibited field NotPrincipal"
    allowing = statement | {"Resource": "*", "Effect": "Allow"}
    assert refusal(identity(allowing), PolicyKind.RESOURCE) == "Has prohibited field NotPrincipal"
    document = json.dumps(identity(statement | {"Resource": "*"}))
    assert parse_policy(document, PolicyKind.RESOURCE).statements[0].principal.negated


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["*", "s3:*", "Allow"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Version",
                    "Statement",
                    "Effect",
                    "Action",
                    "Resource",
                    "Principal",
                    "Condition",
                    "Sid",
                    "AWS",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(PolicyKind))
def test_anything_is_parsed_or_refused(document, kind):
    for text in (document, identity(document), identity({**GOOD, "Condition": document})):
        try:
            parse_policy(json.dumps(text), kind)
        except MalformedPolicyError as error:
            assert str(error)
