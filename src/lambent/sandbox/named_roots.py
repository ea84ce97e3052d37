"""What the spawner is told of a root, and the name by which it knows that root from then on."""

import hashlib
import json
from collections import deque
from dataclasses import replace

from lambent.sandbox.messages import Message
from lambent.sandbox.outside import Outside
from lambent.sandbox.port import Root

_RESOLV_CONF = "/etc/resolv.conf"
_KEPT_MOST = 16


class NamedRoots:
    """With `outside`, what is inside asks the name servers there."""

    def __init__(self, outside: Outside | None) -> None:
        self._outside = outside
        self._kept: deque[tuple[Root, tuple[str, Message]]] = deque(maxlen=_KEPT_MOST)

    def named(self, root: Root) -> tuple[str, Message]:
        """Worked out once for those that were used last: each sandbox of a runtime has the same one."""
        for known, named in self._kept:
            if known is root:
                return named
        message = _message(self._with_name_servers(root))
        name = hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()[:24]
        self._kept.append((root, (name, message)))
        return name, message

    def _with_name_servers(self, root: Root) -> Root:
        if self._outside is None or _RESOLV_CONF not in root.files:
            return root
        return replace(root, files={**root.files, _RESOLV_CONF: self._outside.resolv_conf()})


def _message(root: Root) -> Message:
    return {
        "binds": [[str(bind.source), bind.target] for bind in root.binds],
        "links": dict(root.links),
        "files": dict(root.files),
        "mount_points": list(root.mount_points),
    }
