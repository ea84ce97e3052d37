"""Makes a thumbnail of each JPEG that comes into a bucket, and puts it into another under the same key."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image

s3 = boto3.client("s3")
THUMBNAILS = os.environ["THUMBNAILS"]
LONGEST_EDGE = int(os.environ["LONGEST_EDGE"])


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        # Keys in events are encoded as in a form: a space is a plus sign.
        make_thumbnail(bucket, unquote_plus(record["s3"]["object"]["key"]))


def make_thumbnail(bucket, key):
    """A file that is no image raises, and Lambda tries it again and then sends the event to the dead letters."""
    image = Image.open(s3.get_object(Bucket=bucket, Key=key)["Body"])
    before = image.size
    image.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    smaller = io.BytesIO()
    image.save(smaller, "JPEG", quality=85)
    s3.put_object(
        Bucket=THUMBNAILS,
        Key=key,
        Body=smaller.getvalue(),
        ContentType="image/jpeg",
        Metadata={"original-size": f"{before[0]}x{before[1]}"},
    )
    print(f"{key}: {before} to {image.size}")
