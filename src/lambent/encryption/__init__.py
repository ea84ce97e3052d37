"""Encryption at rest by keys of KMS, for services that store what their users encrypt: envelopes around single texts.

Knows data keys, how long one is used again, and who must be allowed to use them. Does not know what is encrypted, but
for the filter criteria of mappings: the control plane seals them, and the data plane opens them.
"""
