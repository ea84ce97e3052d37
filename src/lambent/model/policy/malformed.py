"""The one way in which a policy document is refused."""

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"


class MalformedPolicyError(Exception):
    """The document breaks the grammar. The message is AWS's, for a MalformedPolicyDocument error."""
