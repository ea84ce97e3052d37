"""IAM's quotas, at AWS's defaults.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

TRUST_POLICY_SIZE = 2048
INLINE_POLICIES_SIZE = 10240
"""Of all inline policies of one role together."""
USER_POLICIES_SIZE = 2048
GROUP_POLICIES_SIZE = 5120
MANAGED_POLICY_SIZE = 6144
POLICIES_PER_ROLE = 10
POLICIES_PER_USER = 10
POLICIES_PER_GROUP = 10
GROUPS_PER_USER = 10
ACCESS_KEYS_PER_USER = 2
CERTIFICATES_PER_USER = 2
VERSIONS_PER_POLICY = 5
CLIENT_IDS_PER_PROVIDER = 100
PROVIDERS = 100
TAGS = 50


def policy_size(document: str) -> int:
    """Characters of a policy as IAM counts them: without white space."""
    return sum(len(word) for word in document.split())
