"""Which machine this is, as a digest that can be compared and says nothing else.

Rules

* ``boot`` comes from the kernel's boot id: equal in every container of one machine, another after each boot.
* ``machine`` comes from /etc/machine-id: it survives boots, and may differ between containers.
* Two parties share a host when either is equal. A party that cannot tell shares it with everybody.

Example

>>> here = Host(boot="A" * 43, machine=None)
>>> is_shared(here, Host(boot="B" * 42 + "A", machine="A" * 43))
False
>>> is_shared(here, Host(boot=None, machine=None))
True
"""

from pathlib import Path
from typing import Final

from understudy.consent.contexts import Context
from understudy.contract.messages import Host
from understudy.sealing.canonical import digest

BOOT_FILE: Final = Path("/proc/sys/kernel/random/boot_id")
MACHINE_FILE: Final = Path("/etc/machine-id")


def this_host(boot: Path = BOOT_FILE, machine: Path = MACHINE_FILE) -> Host:
    """Return the digests of this machine."""
    return Host(boot=_digest_of("boot", boot), machine=_digest_of("machine", machine))


def is_shared(one: Host, other: Host) -> bool:
    """Return whether two parties may run on one machine."""
    if one.boot is None or other.boot is None:
        return True
    return one.boot == other.boot or (one.machine is not None and one.machine == other.machine)


def _digest_of(name: str, path: Path) -> str | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return digest(Context.HOST, f"{name}={text}".encode()) if text else None
