"""What the kernel can do that it is built with or without: its modules, and the file systems that it reads.

modules.builtin and modules.dep of /lib/modules/RELEASE name every module by its file, "kernel/fs/exfat/exfat.ko",
which may be compressed (.ko.zst), in modules.dep before a colon; /proc/modules has those that are loaded, wherever they
came from; /proc/filesystems those file systems that are known now, whose module may still come (proc(5); kmod).
"""

from __future__ import annotations

import re

from edgekit.machine.host import Host

# A program that mount runs reads one that the kernel doesn't: mount(8), "external helpers".
_HELPERS = ("sbin/mount.{}", "usr/sbin/mount.{}")


def has_module(host: Host, name: str) -> bool | None:
    """Say whether the kernel has a module, built in, loaded or to be loaded; None where nothing tells."""
    folder = f"lib/modules/{host.kernel}"
    files = ("modules.builtin", "modules.dep") if re.fullmatch(r"[\w.+~-]+", host.kernel) else ()
    lists = [host.read(f"{folder}/{file}") for file in files]
    file = rf"^(?:\S*/)?{re.escape(name).replace('_', '[-_]')}\.ko(?:\.\w+)?(?::|$)"
    if any(re.search(file, text, re.MULTILINE) for text in lists) or _loaded(host, name):
        return True
    return False if any(lists) else None


def reads_filesystem(host: Host, name: str) -> bool | None:
    """Say whether a file system can be mounted, by the kernel or by a program of the system's; None where nothing
    tells."""
    known = re.search(rf"^\s*{re.escape(name)}$", host.read("proc/filesystems"), re.MULTILINE) is not None
    if known or any((host.root / helper.format(name)).exists() for helper in _HELPERS):
        return True
    return has_module(host, name)


def _loaded(host: Host, name: str) -> bool:
    return re.search(rf"^{re.escape(name.replace('-', '_'))} ", host.read("proc/modules"), re.MULTILINE) is not None
