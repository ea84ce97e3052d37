"""AWS Signature Version 4: who signed a request, and whether that is true. Knows no service and no account.

`verify` states the order; `authorization` reads what a client claims, `canonical` rebuilds what it signed,
`keys` derives and keeps signing keys, `chunked` unpacks bodies that are signed piece by piece, `errors`
says which code and status each protocol has for a failure.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html and, for S3,
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html.
"""
