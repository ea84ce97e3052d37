"""Accounts reach into each other, and a role's session around the denials that it is under."""

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from lambent_server import PYTHON

OURS, THEIRS = "111111111111", "222222222222"
FUNCTION = f"arn:aws:lambda:us-east-1:{OURS}:function:f"
LAYER = f"arn:aws:lambda:us-east-1:{OURS}:layer:l"
AT_THE_ENDPOINT = Config(inject_host_prefix=False)
"""The SDK puts a name before the host of Live Tail."""
GROUP = f"arn:aws:logs:us-east-1:{OURS}:log-group:"


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException"), error
    return str(error["Message"])


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("invoke", {"FunctionName": FUNCTION}),
        ("invoke", {"FunctionName": f"{OURS}:f", "InvocationType": "Event"}),
        ("get_function", {"FunctionName": FUNCTION}),
        ("get_function_configuration", {"FunctionName": f"{OURS}:function:f"}),
        ("update_function_code", {"FunctionName": FUNCTION, "ZipFile": b"x"}),
        ("update_function_configuration", {"FunctionName": FUNCTION, "Timeout": 5}),
        ("delete_function", {"FunctionName": FUNCTION}),
        ("publish_version", {"FunctionName": FUNCTION}),
        ("list_versions_by_function", {"FunctionName": FUNCTION}),
        ("create_alias", {"FunctionName": FUNCTION, "Name": "x", "FunctionVersion": "$LATEST"}),
        ("get_alias", {"FunctionName": FUNCTION, "Name": "x"}),
        ("update_alias", {"FunctionName": FUNCTION, "Name": "x"}),
        ("delete_alias", {"FunctionName": FUNCTION, "Name": "x"}),
        ("list_aliases", {"FunctionName": FUNCTION}),
        ("tag_resource", {"Resource": FUNCTION, "Tags": {"a": "b"}}),
        ("untag_resource", {"Resource": FUNCTION, "TagKeys": ["a"]}),
        ("list_tags", {"Resource": FUNCTION}),
        ("get_layer_version", {"LayerName": LAYER, "VersionNumber": 1}),
        ("get_layer_version_by_arn", {"Arn": f"{LAYER}:1"}),
        ("list_layer_versions", {"LayerName": LAYER}),
        ("delete_layer_version", {"LayerName": LAYER, "VersionNumber": 1}),
        ("publish_layer_version", {"LayerName": LAYER, "Content": {"ZipFile": b"x"}}),
        ("get_layer_version_policy", {"LayerName": LAYER, "VersionNumber": 1}),
        (
            "add_layer_version_permission",
            {
                "LayerName": LAYER,
                "VersionNumber": 1,
                "StatementId": "s",
                "Action": "lambda:GetLayerVersion",
                "Principal": THEIRS,
            },
        ),
        (
            "remove_layer_version_permission",
            {"LayerName": LAYER, "VersionNumber": 1, "StatementId": "s"},
        ),
    ],
)
def test_another_account_s_functions_and_layers(tenants: Any, operation: str, parameters: Any) -> None:
    refused(getattr(tenants.client("lambda", THEIRS), operation), **parameters)


def test_another_account_s_roles_and_layers_in_a_function_of_one_s_own(tenants: Any) -> None:
    words = refused(tenants.create, who=THEIRS, role=tenants.guarded_role)
    assert words == "Cross-account pass role is not allowed."
    refused(tenants.create, who=THEIRS, role=tenants.their_role, Layers=[tenants.layer])


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("delete_log_group", {"logGroupName": f"{GROUP}open"}),
        ("get_log_events", {"logGroupIdentifier": f"{GROUP}open", "logStreamName": "s"}),
        ("filter_log_events", {"logGroupIdentifier": f"{GROUP}open"}),
        ("describe_log_streams", {"logGroupIdentifier": f"{GROUP}open"}),
        ("start_live_tail", {"logGroupIdentifiers": [f"{GROUP}open"]}),
        ("tag_resource", {"resourceArn": f"{GROUP}open", "tags": {"a": "b"}}),
        ("list_tags_for_resource", {"resourceArn": f"{GROUP}open"}),
    ],
)
def test_another_account_s_logs(tenants: Any, operation: str, parameters: Any) -> None:
    client = tenants.client("logs", THEIRS, config=AT_THE_ENDPOINT)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**parameters)
    assert caught.value.response["Error"]["Code"] in (
        "ResourceNotFoundException",
        "InvalidParameterException",
    )


def test_a_session_creates_no_function_with_a_role_it_may_not_pass(tenants: Any) -> None:
    """Or it would have the rights of every role."""
    words = refused(tenants.create, who="session", role=tenants.guarded_role)
    # The operation is denied before its role is looked at for f; another name shows the second check.
    assert "lambda:CreateFunction" in words
    made = {
        "FunctionName": "g",
        "Runtime": PYTHON,
        "Handler": "index.handler",
        "Role": tenants.guarded_role,
        "Code": {"ZipFile": b"x"},
    }
    words = refused(tenants.client("lambda", "session").create_function, **made)
    assert f"iam:PassRole on resource: {tenants.guarded_role} with an explicit deny" in words


@pytest.mark.parametrize("written", ["guarded", "GUARDED"])
def test_a_denial_by_a_role_s_path(tenants: Any, written: str) -> None:
    refused(tenants.client("iam", "session").get_role, RoleName=written)


def test_a_denial_from_a_region_of_another_partition(tenants: Any) -> None:
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        tenants.client("iam", "session", region="cn-north-1").get_role(RoleName="guarded")


@pytest.mark.parametrize("arn", [f"{LAYER}:1", f"{LAYER}:01", f"{LAYER}:1".replace(":aws:", ":aws-cn:")])
def test_a_denial_of_a_layer_version(tenants: Any, arn: str) -> None:
    refused(tenants.client("lambda", "session").get_layer_version_by_arn, Arn=arn)


def test_a_denial_of_tags(tenants: Any) -> None:
    client = tenants.client("lambda", "session")
    for arn in (FUNCTION, FUNCTION.replace(":aws:", ":aws-cn:")):
        refused(client.tag_resource, Resource=arn, Tags={"a": "b"})
    logs = tenants.client("logs", "session")
    for arn in (f"{GROUP}secret", f"{GROUP}secret".replace(":aws:", ":aws-cn:")):
        refused(logs.list_tags_for_resource, resourceArn=arn)


def test_a_denial_of_one_log_group_among_several(tenants: Any) -> None:
    client = tenants.client("logs", "session", config=AT_THE_ENDPOINT)
    refused(client.start_live_tail, logGroupIdentifiers=[f"{GROUP}open", f"{GROUP}secret"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Origin": "https://page.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_in_a_browser_on_a_server_for_development(tenants: Any, headers: dict[str, str]) -> None:
    url = f"{tenants.lambent.endpoint}/2015-03-31/functions/"
    assert urllib.request.urlopen(url).status == 200
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    assert caught.value.code == 403
    caught.value.close()
