"""What a browser asks before a page of elsewhere may send a request (OPTIONS).

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
"""

from lambent.http.message import Request, Response
from lambent.model.bucket import Bucket
from lambent.model.error import ServiceException
from lambent.services.s3.cors import asked_headers, cors_headers, matching_rule
from lambent.services.s3.errors import BadRequest


class AccessForbidden(ServiceException):
    status = 403


def preflight(bucket: Bucket | None, key: str, request: Request) -> Response:
    """Raises AccessForbidden, BadRequest."""
    headers = request.headers
    origin, method = headers.get("origin"), headers.get("access-control-request-method")
    if origin is None:
        raise BadRequest("Insufficient information. Origin request header needed.")
    wanted = asked_headers(request)
    if bucket is None or "CORSConfiguration" not in bucket.configurations:
        why = "Bucket not found" if bucket is None else "CORS is not enabled for this bucket."
        raise AccessForbidden(
            f"CORSResponse: {why}", members={"Method": method or "OPTIONS", "ResourceType": "BUCKET"}
        )
    if method is None:
        raise BadRequest("Invalid Access-Control-Request-Method: null")
    rule = matching_rule(bucket, origin, method, wanted)
    if rule is None:
        raise AccessForbidden(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request"
            " method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the"
            " resource's CORS spec.",
            members={"Method": method, "ResourceType": "OBJECT" if key else "BUCKET"},
        )
    answer = cors_headers(rule, origin)
    if wanted:
        answer.append(("Access-Control-Allow-Headers", ", ".join(wanted)))
    return Response(200, answer)
