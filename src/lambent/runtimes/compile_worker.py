"""Compiles the sources of strangers: a process of its own, without rights, run by the interpreter that imports them.

Standard input has one request after the other: lengths of name and source, modification time and size (four 8-byte
numbers), the name, the source. Each is answered on standard output by the length of the .pyc file (0: it cannot be
compiled) and the file. Runs on CPython 3.6 and newer.
"""

import importlib.util
import marshal
import os
import resource
import struct
import sys
import warnings

_REQUEST = struct.Struct("<QQQQ")
_LENGTH = struct.Struct("<Q")
_MEMORY_BYTES = 1 << 30
_CPU_SECONDS = 60
_UNCHECKED_HASH = 0b01


def give_up_rights(user: int) -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    os.nice(19)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def compiled(name: str, source: bytes, modified: int, size: int) -> bytes:
    """A .pyc that is never checked against its source, which is read-only where it is used; 3.6 knows none such."""
    code = marshal.dumps(compile(source, name, "exec", dont_inherit=True))
    if sys.hexversion < 0x03070000:
        stamp = struct.pack("<II", modified & 0xFFFFFFFF, size & 0xFFFFFFFF)
    else:
        stamp = struct.pack("<I", _UNCHECKED_HASH) + importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + stamp + code


def serve() -> None:
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = requests.read(_REQUEST.size)
        if len(head) < _REQUEST.size:
            return
        name_length, source_length, modified, size = _REQUEST.unpack(head)
        name = requests.read(name_length).decode("utf-8", "surrogateescape")
        source = requests.read(source_length)
        try:
            answer = compiled(name, source, modified, size)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            answer = b""  # importing it will say why
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    give_up_rights(int(sys.argv[1]))
    serve()
