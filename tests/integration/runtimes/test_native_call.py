"""The library as this machine's dynamic loader and processor take it."""

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from lambent.runtimes import native_call

pytestmark = pytest.mark.skipif(
    platform.machine() not in native_call.machines(), reason="no code for this machine is known"
)
CALL = """
import ctypes, sys
function = getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])
function.argtypes, function.restype = [ctypes.c_long] * 6, ctypes.c_long
c = ctypes.CDLL(None)
c.getenv.restype = ctypes.c_char_p
address = lambda of: ctypes.cast(of, ctypes.c_void_p).value
name, value = ctypes.create_string_buffer(b"SAID"), ctypes.create_string_buffer(b"this")
assert function(0, 0, address(c.labs), -42, 0, 0) == 42
assert function(0, 0, address(c.setenv), ctypes.addressof(name), ctypes.addressof(value), 1) == 0
print(c.getenv(b"SAID").decode())
"""


def test_it_calls_functions_of_the_c_library(tmp_path: Path) -> None:
    library = tmp_path / "libcall.so"
    library.write_bytes(native_call.library(platform.machine()))
    command = [sys.executable, "-c", CALL, str(library), native_call.SYMBOL.decode()]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "this\n"


def test_it_leaves_the_stack_as_it_is(tmp_path: Path) -> None:
    """A library that does not say so makes all stacks executable, and a Java virtual machine complains."""
    library = tmp_path / "libcall.so"
    library.write_bytes(native_call.library(platform.machine()))
    loaded = ctypes.CDLL(str(library))
    maps = Path("/proc/self/maps").read_text().splitlines()
    assert loaded is not None
    assert [line for line in maps if "[stack]" in line and "x" in line.split()[1]] == []
    assert any(str(library) in line for line in maps)
