"""AWS's protocols, generic over botocore's service models, and its signatures. Knows AWS; does not know
Lambda."""
