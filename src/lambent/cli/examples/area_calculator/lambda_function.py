"""The area calculator: a JSON object with length and width in, their area out.

After the first function of AWS's "Create your first Lambda function" tutorial."""

import json
import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    length, width = event["length"], event["width"]
    area = length * width
    logger.info("The area is %s", area)
    logger.info("CloudWatch logs group: %s", context.log_group_name)
    return json.dumps({"area": area})
