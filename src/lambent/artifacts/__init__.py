"""Deployment packages and layers on disk: put by content, fetched, verified, unpacked for mounting, swept.

Knows zip files and directories, and trusts no archive. Does not know functions, AWS's wording, or sandboxes:
a service turns these errors into AWS's, and a sandbox mounts the trees.
"""
