import pytest

from lambent.services.lambda_.condition_keys import condition_keys
from lambent.services.lambda_.resource import resource_arn

UUID = "3a774590-b021-41dd-b359-51a049b698ef"
MAPPING = f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{UUID}"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:hello"


async def test_mappings_are_made_for_a_function_that_policies_may_name(aws):
    create = ("CreateEventSourceMapping", aws.caller, {"FunctionName": "hello:prod"})
    assert condition_keys(*create) == {"lambda:FunctionArn": f"{FUNCTION}:prod"}
    assert resource_arn(*create) == "*"
    update = ("UpdateEventSourceMapping", aws.caller, {"UUID": UUID, "FunctionName": "hello"})
    assert condition_keys(*update) == {"lambda:FunctionArn": FUNCTION}
    assert resource_arn(*update) == MAPPING
    for operation in ("GetEventSourceMapping", "DeleteEventSourceMapping"):
        assert condition_keys(operation, aws.caller, {"UUID": UUID}) == {}
        assert resource_arn(operation, aws.caller, {"UUID": UUID}) == MAPPING
    assert resource_arn("ListEventSourceMappings", aws.caller, {"FunctionName": "hello"}) == "*"
    assert resource_arn("ListTags", aws.caller, {"Resource": MAPPING}) == MAPPING
    assert condition_keys("GetFunction", aws.caller, {"FunctionName": "hello"}) == {}


@pytest.mark.parametrize(
    ("operation", "parameters", "keys"),
    [
        ("Invoke", {}, {"lambda:InvokedViaFunctionUrl": "false"}),
        ("InvokeWithResponseStream", {}, {"lambda:InvokedViaFunctionUrl": "false"}),
        ("CreateFunctionUrlConfig", {"AuthType": "NONE"}, {"lambda:FunctionUrlAuthType": "NONE"}),
        ("UpdateFunctionUrlConfig", {}, {}),
        (
            "AddPermission",
            {"Principal": "*", "FunctionUrlAuthType": "NONE"},
            {"lambda:Principal": "*", "lambda:FunctionUrlAuthType": "NONE"},
        ),
    ],
)
def test_policies_may_ask_about_function_urls(aws, operation, parameters, keys):
    assert condition_keys(operation, aws.caller, {"FunctionName": "hello"} | parameters) == keys
