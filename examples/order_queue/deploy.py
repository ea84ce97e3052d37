"""Deploys the order queue: three queues, a role, a function, and the mapping that gives it the orders.

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

NAME = "order-queue"
VISIBILITY_SECONDS = 12
"""Twice the function's timeout: an order that failed comes again after so long."""
TIMEOUT_SECONDS = 6
TRIES = 3

iam, sqs, functions = boto3.client("iam"), boto3.client("sqs"), boto3.client("lambda")


def make_queue(name, **attributes):
    """Its URL and ARN."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    if attributes:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def make_role(orders_arn, confirmations_arn):
    """Reads orders, sends confirmations, writes logs, and may do nothing else."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    read = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    statements = [
        {"Effect": "Allow", "Action": read, "Resource": orders_arn},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": confirmations_arn},
    ]
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName=NAME, PolicyName="queues", PolicyDocument=policy(*statements))
    iam.attach_role_policy(
        RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
    return iam.get_role(RoleName=NAME)["Role"]["Arn"]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def make_function(role, confirmations_url):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(Path(__file__).with_name("orders.py"), "orders.py")
    settings = {
        "Runtime": f"python3.{sys.version_info.minor}",
        "Handler": "orders.handler",
        "Role": role,
        "Timeout": TIMEOUT_SECONDS,
        "Environment": {"Variables": {"CONFIRMATIONS": confirmations_url}},
    }
    try:
        functions.create_function(FunctionName=NAME, Code={"ZipFile": packed.getvalue()}, **settings)
    except functions.exceptions.ResourceConflictException:
        functions.update_function_configuration(FunctionName=NAME, **settings)
        functions.get_waiter("function_updated_v2").wait(FunctionName=NAME)
        functions.update_function_code(FunctionName=NAME, ZipFile=packed.getvalue())
    functions.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})


def map_orders(orders_arn):
    settings = {
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        # Orders that somebody only tries are deleted, and no function sees them.
        "FilterCriteria": {"Filters": [{"Pattern": json.dumps({"body": {"test": [{"exists": False}]}})}]},
    }
    found = functions.list_event_source_mappings(FunctionName=NAME, EventSourceArn=orders_arn)
    for mapping in found["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], **settings)
        return
    functions.create_event_source_mapping(FunctionName=NAME, EventSourceArn=orders_arn, **settings)


def main():
    dead_url, dead_arn = make_queue("orders-dead")
    confirmations_url, confirmations_arn = make_queue("confirmations")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": TRIES})
    orders_url, orders_arn = make_queue(
        "orders", VisibilityTimeout=str(VISIBILITY_SECONDS), RedrivePolicy=redrive
    )
    make_function(make_role(orders_arn, confirmations_arn), confirmations_url)
    map_orders(orders_arn)
    print(f"orders: {orders_url}\nconfirmations: {confirmations_url}\ndead letters: {dead_url}")


if __name__ == "__main__":
    main()
