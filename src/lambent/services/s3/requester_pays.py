"""Requester Pays: whoever is not of the bucket's account must say that it takes the charges.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html
"""

from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.services.s3.errors import AccessDenied

REQUEST_PAYMENT = "RequestPaymentConfiguration"


def check_payer(bucket: Bucket, caller: Caller, parameters: Parameters) -> None:
    """Raises AccessDenied."""
    configuration = bucket.configurations.get(REQUEST_PAYMENT)
    if configuration is None or caller.account_id == bucket.account_id or caller.service is not None:
        return
    if configuration["Payer"] == "Requester" and parameters.get("RequestPayer") != "requester":
        raise AccessDenied("Access Denied")
