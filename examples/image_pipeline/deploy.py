"""Deploys the image pipeline: two buckets, a queue, a role, a layer with Pillow, a function, and the notification that
calls it.

    eval "$(lambent env)"
    python3 deploy.py

Run it again, and it changes what is there already.
"""

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import boto3

NAME = "image-pipeline"
RUNTIME = f"python3.{sys.version_info.minor}"
LONGEST_EDGE = 256
RETRIES = 1
"""Of a function that failed, before its event is a dead letter."""

iam, s3, sqs, functions = (boto3.client(name) for name in ("iam", "s3", "sqs", "lambda"))


def make_bucket(name):
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name)
    return name


def make_queue(name):
    """Its URL and ARN."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, found["Attributes"]["QueueArn"]


def make_role(images, thumbnails, dead_arn):
    """Reads images, writes thumbnails, dead letters and logs, and may do nothing else."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statements = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{images}/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{thumbnails}/*"},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead_arn},
    ]
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName=NAME, PolicyName="images", PolicyDocument=policy(*statements))
    iam.attach_role_policy(
        RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
    return iam.get_role(RoleName=NAME)["Role"]["Arn"]


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def make_layer():
    """Pillow, as pip has it for this Python on x86-64 or ARM Linux: published once, and found again."""
    versions = functions.list_layer_versions(LayerName="pillow", CompatibleRuntime=RUNTIME)["LayerVersions"]
    if versions:
        return versions[0]["LayerVersionArn"]
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "python"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
        subprocess.run([*pip, "--target", str(target), "pillow"], check=True)
        made = functions.publish_layer_version(
            LayerName="pillow",
            Content={"ZipFile": zip_of(Path(directory))},
            CompatibleRuntimes=[RUNTIME],
        )
    return made["LayerVersionArn"]


def zip_of(directory):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(directory))
    return packed.getvalue()


def make_function(role, layer, thumbnails, dead_arn):
    """Its ARN. What it cannot do in the end is told to the queue of dead letters."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(Path(__file__).with_name("thumbnails.py"), "thumbnails.py")
    settings = {
        "Runtime": RUNTIME,
        "Handler": "thumbnails.handler",
        "Role": role,
        "Layers": [layer],
        "MemorySize": 512,
        "Timeout": 30,
        "Environment": {"Variables": {"THUMBNAILS": thumbnails, "LONGEST_EDGE": str(LONGEST_EDGE)}},
    }
    try:
        functions.create_function(FunctionName=NAME, Code={"ZipFile": packed.getvalue()}, **settings)
    except functions.exceptions.ResourceConflictException:
        functions.update_function_configuration(FunctionName=NAME, **settings)
        functions.get_waiter("function_updated_v2").wait(FunctionName=NAME)
        functions.update_function_code(FunctionName=NAME, ZipFile=packed.getvalue())
    functions.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1})
    functions.put_function_event_invoke_config(
        FunctionName=NAME,
        MaximumRetryAttempts=RETRIES,
        DestinationConfig={"OnFailure": {"Destination": dead_arn}},
    )
    return functions.get_function(FunctionName=NAME)["Configuration"]["FunctionArn"]


def notify(images, function, account):
    """The bucket tells the function of each new JPEG, and the function's policy lets it."""
    with contextlib.suppress(functions.exceptions.ResourceConflictException):
        functions.add_permission(
            FunctionName=NAME,
            StatementId="images",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{images}",
            SourceAccount=account,
        )
    configuration = {
        "Id": "new-images",
        "LambdaFunctionArn": function,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".jpg"}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=images, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )


def main():
    account = boto3.client("sts").get_caller_identity()["Account"]
    images = make_bucket(f"{NAME}-{account}")
    thumbnails = make_bucket(f"{NAME}-{account}-thumbnails")
    dead_url, dead_arn = make_queue("images-dead")
    role = make_role(images, thumbnails, dead_arn)
    notify(images, make_function(role, make_layer(), thumbnails, dead_arn), account)
    print(f"images: {images}\nthumbnails: {thumbnails}\ndead letters: {dead_url}")


if __name__ == "__main__":
    main()
