"""What reaches S3 without a signature in its headers, and so not by way of the gateway: URLs that boto3 presigned in
the old manner, forms of HTML pages, what browsers ask before their pages may, and the public, which a bucket may let
in.

Each is made the request of some caller, and allowed or not as any other.
"""

import logging
from collections.abc import Awaitable, Callable

from lambent.base.arn import partition_of
from lambent.base.clock import Clock
from lambent.base.ids import new_uuid
from lambent.http.message import Request, Response
from lambent.model.bucket import Bucket
from lambent.model.caller import Caller, Parameters
from lambent.model.credential import Credential, CredentialSource
from lambent.model.error import InternalFailure, ServiceException
from lambent.model.service import Client
from lambent.services.s3.access import ANONYMOUS
from lambent.services.s3.bucket_records import BucketRecords
from lambent.services.s3.cors import asked_headers, cors_headers, matching_rule
from lambent.services.s3.errors import AccessDenied, InvalidRequest, MethodNotAllowed, PreconditionFailed
from lambent.services.s3.forms import FormPosts
from lambent.services.s3.preflight import preflight
from lambent.wire.s3_hosts import bucket_of_host, is_s3_host, move_bucket_to_path
from lambent.wire.service import Match, load_service
from lambent.wire.sigv2 import is_presigned, verify_query
from lambent.wire.sigv4.errors import SignatureError
from lambent.wire.streams import settle_stream

log = logging.getLogger(__name__)


class S3Door:
    """`dev`: no key is asked for, and nothing is verified, as everywhere else."""

    def __init__(
        self,
        buckets: BucketRecords,
        client: Client,
        credentials: CredentialSource,
        clock: Clock,
        *,
        dev: bool,
    ) -> None:
        self._buckets = buckets
        self._client = client
        self._credentials = credentials
        self._clock = clock
        self._dev = dev
        self._wire = load_service("s3")
        self._forms = FormPosts(client, credentials, clock, dev=dev)

    def opens(self, request: Request) -> bool:
        headers, query = request.headers, request.query
        if "authorization" in headers or "X-Amz-Credential=" in query:
            return False
        if request.method == "OPTIONS" and is_s3_host(headers.get("host", "")):
            return True
        if request.method == "OPTIONS" or _is_form(request) or _is_posted(request):
            return self._bucket(request) is not None
        if self._dev:
            return False
        if is_presigned(request):
            return True
        reads = request.method in ("GET", "HEAD")
        writes = request.method in ("PUT", "DELETE") and _named(request)[1] != ""
        return (reads or writes) and self._bucket(request) is not None

    async def handle(self, request: Request) -> Response:
        request_id = new_uuid()
        if request.method == "OPTIONS":
            key = _named(request)[1]
            return self._wire_errors(request_id, lambda: preflight(self._bucket(request), key, request))
        answer = self._post if request.method == "POST" else self._ask
        return await self._answer(request_id, lambda match: answer(request, request_id, match))

    def dress(self, request: Request, response: Response) -> None:
        """Lets the page that asked read the answer, where the bucket's rules do."""
        bucket = self._bucket(request)
        origin = request.headers["origin"]
        # What only a preflight has is heeded in every request.
        method = request.headers.get("access-control-request-method", request.method)
        rule = None if bucket is None else matching_rule(bucket, origin, method, asked_headers(request))
        if rule is not None:
            response.headers.extend(cors_headers(rule, origin))

    async def _ask(self, request: Request, request_id: str, seen: list[Match]) -> Response:
        """An operation, asked for by whoever presigned the URL, or by nobody in particular."""
        if is_presigned(request):
            caller = self._caller(
                request, request_id, verify_query(request, self._credentials, self._clock.now())
            )
        else:
            caller = self._caller(request, request_id, None)
        move_bucket_to_path(request)
        match = self._wire.match(request)
        if match is None:
            raise MethodNotAllowed(Method=request.method)
        seen.append(match)
        if request.stream is not None:
            await settle_stream(request, match)
        parameters = self._wire.parse(match, request)
        if caller.account_id == ANONYMOUS:
            _refuse_overrides(parameters)
        output = await self._client("s3", match.operation, caller, parameters)
        return self._wire.serialize(match, output, request_id)

    async def _post(self, request: Request, request_id: str, seen: list[Match]) -> Response:
        bucket = self._required(request)
        if not _is_form(request):
            raise PreconditionFailed(
                Condition="Bucket POST must be of the enclosure-type multipart/form-data"
            )

        def caller_of(credential: Credential | None) -> Caller:
            return self._caller(request, request_id, credential)

        return await self._forms.post(bucket, request, caller_of)

    async def _answer(self, request_id: str, work: Callable[[list[Match]], Awaitable[Response]]) -> Response:
        seen: list[Match] = []
        try:
            return await work(seen)
        except SignatureError as error:
            refused: ServiceException = error.for_family("s3")
        except ServiceException as error:
            refused = AccessDenied("Access Denied") if _is_of_nobody(error) else error
        except Exception:
            log.exception("request %s failed", request_id)
            refused = InternalFailure("An internal error occurred; the log has it by the request id.")
        return self._wire.serialize_error(seen[0] if seen else "rest-xml", refused, request_id)

    def _wire_errors(self, request_id: str, work: Callable[[], Response]) -> Response:
        try:
            return work()
        except ServiceException as error:
            return self._wire.serialize_error("rest-xml", error, request_id)

    def _caller(self, request: Request, request_id: str, credential: Credential | None) -> Caller:
        bucket = self._bucket(request)
        region = "us-east-1" if bucket is None else bucket.region
        return Caller(
            account_id=credential.account_id if credential else ANONYMOUS,
            region=region,
            partition=partition_of(region),
            principal_arn=credential.principal_arn if credential else ANONYMOUS,
            user_id=credential.user_id if credential else ANONYMOUS,
            access_key_id=credential.access_key_id if credential else "",
            role_arn=credential.role_arn if credential else None,
            session_policies=credential.session_policies if credential else (),
            request_id=request_id,
            source_ip=request.peer,
            user_agent=request.headers.get("user-agent", ""),
            endpoint_url=f"http://{request.headers.get('host', '')}",
            headers=request.headers,
        )

    def _bucket(self, request: Request) -> Bucket | None:
        return self._buckets.find(_named(request)[0])

    def _required(self, request: Request) -> Bucket:
        bucket = self._bucket(request)
        assert bucket is not None, "opens() has found it"
        return bucket


def _named(request: Request) -> tuple[str, str]:
    """The bucket and the key, either in the path or the bucket in the host's name."""
    path = request.path[1:]
    bucket = bucket_of_host(request.headers.get("host", ""))
    if bucket:
        return bucket, path
    name, _, key = path.partition("/")
    return name, key


def _is_form(request: Request) -> bool:
    return request.method == "POST" and request.headers.get("content-type", "").startswith(
        "multipart/form-data"
    )


def _is_posted(request: Request) -> bool:
    """To a bucket itself, as only forms are."""
    return request.method == "POST" and not request.query and _named(request)[1] == ""


def _is_of_nobody(error: ServiceException) -> bool:
    """Nobody in particular is not told why."""
    return error.code == "AccessDenied" and error.message.startswith(f"User: {ANONYMOUS} ")


def _refuse_overrides(parameters: Parameters) -> None:
    if any(member.startswith("Response") for member in parameters):
        raise InvalidRequest("Request specific response headers cannot be used for anonymous GET requests.")
