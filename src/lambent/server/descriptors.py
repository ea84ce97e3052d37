"""How many files and sockets the server may have open: sandboxes need theirs, however many clients there are."""

import resource

from lambent.http.limits import Limits


def raise_descriptor_limit() -> None:
    """To what the system allows; a session's limit is often 1,024, of which an environment takes some ten."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_most() -> int:
    """Half of the descriptors at the most, so that no client can take those that environments are made with."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(Limits().connections_max, soft // 2)
