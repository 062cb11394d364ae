"""Run Python under the restrictions of a systemd unit, without systemd.

`python -m tests.support.like_the_unit UNIT ARGUMENT…`: the filter of system calls and the
refusal of writable code are those that systemd would set up. Both stay for all that it starts.
https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#SystemCallFilter=
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

PR_SET_NO_NEW_PRIVS = 38
# https://man7.org/linux/man-pages/man2/PR_SET_MDWE.2const.html
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
# https://man7.org/linux/man-pages/man3/seccomp_init.3.html
SCMP_ACT_ERRNO, SCMP_ACT_ALLOW = 0x00050000, 0x7FFF0000
NO_SUCH_CALL = -1


def allowed_calls(unit: str) -> set[str]:
    """Return the system calls that a unit's SystemCallFilter lines leave, in their order."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        names = set().union(*(_expanded(name) for name in line.removeprefix("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    # What systemd itself always leaves, to be able to start the program.
    return allowed | _expanded("@default") | {"execve"}


def restrict(calls: set[str], *, allow_writable_code: bool) -> None:
    """Leave this process, and all that it starts, only these system calls."""
    seccomp, libc = ctypes.CDLL("libseccomp.so.2"), ctypes.CDLL(None, use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(SCMP_ACT_ERRNO | errno.EPERM))
    for name in sorted(calls):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        # Others are those of other processors.
        if number > NO_SUCH_CALL:
            _check(seccomp.seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0), name)
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if not allow_writable_code:
        # Kernels before 6.3 don't know it, and systemd then filters calls for it.
        libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
    _check(seccomp.seccomp_load(context), "the filter")


def _expanded(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    shown = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout
    names = [line.strip() for line in shown.splitlines()[1:]]
    inside = [each for each in names if re.fullmatch(r"@?[a-z0-9_-]+", each)]
    return set().union(*(_expanded(each) for each in inside))


def _check(result: int, what: str) -> None:
    if result:
        raise OSError(abs(result), f"{what}: {os.strerror(abs(result))}")


if __name__ == "__main__":
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    restrict(allowed_calls(text), allow_writable_code="MemoryDenyWriteExecute=yes" not in text)
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])  # noqa: S606
