"""Deploys the nightly report: a bucket, two queues, two roles, a function, a rule and a schedule.

    eval "$(lambent env)"
    python3 deploy.py

Run it again, and it changes what is there already.
"""

import contextlib
import io
import json
import sys
import zipfile
from pathlib import Path

import boto3

NAME = "nightly-report"
SCHEDULE = "cron(30 2 * * ? *)"
TIME_ZONE = "Europe/Berlin"

iam, s3, sqs = boto3.client("iam"), boto3.client("s3"), boto3.client("sqs")
events, scheduler, functions = boto3.client("events"), boto3.client("scheduler"), boto3.client("lambda")


def make_bucket(account):
    name = f"{NAME}-{account}"
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name)
    return name


def make_queue(name):
    """Its URL and ARN."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def make_role(name, service, *statements):
    """A role for a service, which may do this and nothing else."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(*statements))
    return iam.get_role(RoleName=name)["Role"]["Arn"]


def allow(actions, resources):
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def make_function(bucket):
    """Its ARN. It reads sales and writes reports, and puts events."""
    role = make_role(
        NAME,
        "lambda.amazonaws.com",
        allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        allow("s3:GetObject", f"arn:aws:s3:::{bucket}/sales/*"),
        allow("s3:PutObject", f"arn:aws:s3:::{bucket}/reports/*"),
        allow("events:PutEvents", "*"),
    )
    iam.attach_role_policy(
        RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(Path(__file__).with_name("report.py"), "report.py")
    settings = {
        "Runtime": f"python3.{sys.version_info.minor}",
        "Handler": "report.handler",
        "Role": role,
        "Timeout": 60,
        "Environment": {"Variables": {"BUCKET": bucket}},
    }
    try:
        functions.create_function(FunctionName=NAME, Code={"ZipFile": packed.getvalue()}, **settings)
    except functions.exceptions.ResourceConflictException:
        functions.update_function_configuration(FunctionName=NAME, **settings)
        functions.get_waiter("function_updated_v2").wait(FunctionName=NAME)
        functions.update_function_code(FunctionName=NAME, ZipFile=packed.getvalue())
    functions.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})
    return functions.get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]


def tell(queue_url, queue_arn):
    """A rule brings what the function says to a queue, whose policy lets it."""
    pattern = {"source": [NAME], "detail-type": ["Report ready"]}
    rule = events.put_rule(Name=NAME, EventPattern=json.dumps(pattern))["RuleArn"]
    statement = {
        **allow("sqs:SendMessage", queue_arn),
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy(statement)})
    events.put_targets(Rule=NAME, Targets=[{"Id": "readers", "Arn": queue_arn, "InputPath": "$.detail"}])


def schedule(function, dead_arn):
    role = make_role(
        f"{NAME}-schedule",
        "scheduler.amazonaws.com",
        allow("lambda:InvokeFunction", function),
        allow("sqs:SendMessage", dead_arn),
    )
    settings = {
        "Name": NAME,
        "ScheduleExpression": SCHEDULE,
        "ScheduleExpressionTimezone": TIME_ZONE,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": function,
            "RoleArn": role,
            "Input": json.dumps({"time": "<aws.scheduler.scheduled-time>"}),
            "DeadLetterConfig": {"Arn": dead_arn},
        },
    }
    try:
        scheduler.create_schedule(**settings)
    except scheduler.exceptions.ConflictException:
        scheduler.update_schedule(**settings)


def main():
    bucket = make_bucket(boto3.client("sts").get_caller_identity()["Account"])
    readers_url, readers_arn = make_queue("reports")
    dead_url, dead_arn = make_queue("reports-dead")
    function = make_function(bucket)
    tell(readers_url, readers_arn)
    schedule(function, dead_arn)
    print(f"sales and reports: {bucket}\nnotices: {readers_url}\ndead letters: {dead_url}")


if __name__ == "__main__":
    main()
