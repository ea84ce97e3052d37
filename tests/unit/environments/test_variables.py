from lambent.environments.variables import access_key_variables, environment_variables
from lambent.model.credential import Credential
from lambent.model.function import LoggingConfig

CREDENTIAL = access_key_variables(Credential(
    access_key_id="ASIA1", secret_access_key="s", session_token="t",
    account_id="1", principal_arn="arn:aws:sts::1:assumed-role/r/f", user_id="AROA",
))  # fmt: skip


def test_a_function_sees_what_aws_tells_it(version):
    seen = environment_variables(
        version(memory_size=256), {"LANG": "en_US.UTF-8"}, CREDENTIAL, "2026/01/01/[1]a"
    )
    assert seen == {
        "LANG": "en_US.UTF-8",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "ASIA1",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_SESSION_TOKEN": "t",
        "AWS_LAMBDA_FUNCTION_NAME": "hello",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[1]a",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "_HANDLER": "app.handler",
    }


def test_its_own_variables_come_before_the_runtimes_and_never_before_the_reserved(version):
    own = {
        "LANG": "C",
        "AWS_REGION": "mars",
        "AWS_ENDPOINT_URL": "http://elsewhere",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_XRAY_DAEMON_ADDRESS": "10.0.0.1:2000",
    }
    seen = environment_variables(version(variables=own), {"LANG": "en"}, CREDENTIAL, "s")
    assert (seen["LANG"], seen["AWS_REGION"], seen["AWS_SECRET_ACCESS_KEY"]) == ("C", "eu-west-1", "s")
    assert seen["AWS_ENDPOINT_URL"] == "http://elsewhere"
    assert seen["AWS_XRAY_DAEMON_ADDRESS"] == "10.0.0.1:2000"


def test_json_logging_is_told_with_its_level(version):
    logging = LoggingConfig(log_group="g", log_format="JSON", application_log_level="WARN")
    seen = environment_variables(version(logging=logging), {}, CREDENTIAL, "s")
    assert (seen["AWS_LAMBDA_LOG_FORMAT"], seen["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "WARN")
    text = environment_variables(version(), {}, CREDENTIAL, "s")
    assert "AWS_LAMBDA_LOG_FORMAT" not in text
