"""The files of Debian packages, and which of them a program needs."""

import io
import posixpath
import struct
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """A file, a folder or a symbolic link of an image. It belongs to root."""

    kind: str  # "file", "folder" or "link"
    mode: int = 0o755
    data: bytes = b""
    target: str = ""
    package: str = ""


@dataclass
class Package:
    """One Debian package: its control data, and the entries that it installs by their paths without a leading slash."""

    control: str
    entries: dict[str, Entry] = field(default_factory=dict)
    # Unix seconds, of its newest file.
    time: int = 0

    def __getitem__(self, name: str) -> str:
        """A field of the control data; empty if there is none."""
        for line in self.control.splitlines():
            if line.startswith(name + ": "):
                return line[len(name) + 2 :]
        return ""


def read_package(path: Path) -> Package:
    """Reads a .deb; its scripts are not run."""
    package = Package(run("dpkg-deb", "--field", path).decode())
    with tarfile.open(fileobj=io.BytesIO(run("dpkg-deb", "--fsys-tarfile", path))) as archive:
        for member in archive:
            name = posixpath.normpath(member.name)
            owner = package["Package"]
            package.time = max(package.time, int(member.mtime))
            if member.issym():
                package.entries[name] = Entry("link", 0o777, target=member.linkname, package=owner)
            elif member.isreg() or member.islnk():
                # No file of an image has more privileges than who runs it.
                mode = member.mode & 0o777
                package.entries[name] = Entry("file", mode, archive.extractfile(member).read(), package=owner)
    return package


class Packages:
    """All packages of a folder."""

    def __init__(self, folder: Path):
        self.all = {package["Package"]: package for package in map(read_package, sorted(folder.glob("*.deb")))}
        self.entries = {path: entry for package in self.all.values() for path, entry in package.entries.items()}

    def add(self, tree: dict[str, Entry], path: str):
        """Adds a file, what the links on the way to it name, and every library that it needs."""
        path = path.lstrip("/")
        if path in tree:
            return
        if path not in self.entries:
            raise SystemExit(f"error: no package has /{path}")
        entry = tree[path] = self.entries[path]
        if entry.kind == "link":
            self.add(tree, posixpath.normpath(posixpath.join("/", posixpath.dirname(path), entry.target)))
        elif entry.data.startswith(b"\x7fELF"):
            self.add_libraries(tree, entry.data)

    def add_libraries(self, tree: dict[str, Entry], program: bytes):
        """Adds the shared libraries that a program or library names, and the loader."""
        interpreter, names = linked(program)
        if interpreter:
            self.add(tree, self._merged(interpreter))
        for name in names:
            self.add(tree, self._library(name))

    def matching(self, prefix: str, suffix: str = "") -> list[str]:
        """The paths that begin and end so, in order."""
        return sorted(path for path in self.entries if path.startswith(prefix) and path.endswith(suffix))

    def _library(self, name: str) -> str:
        found = [path for path in self.entries if path.startswith("usr/lib") and posixpath.basename(path) == name]
        # Where the loader looks: /usr/lib/TRIPLET, then /usr/lib; not a program's own folder.
        found = sorted((path for path in found if path.count("/") <= 3), key=lambda path: -path.count("/"))
        if not found:
            raise SystemExit(f"error: no package has the library {name}")
        return found[0]

    def _merged(self, path: str) -> str:
        """/lib and its like are links to folders of /usr."""
        first = path.lstrip("/").split("/")[0]
        return ("usr" + path) if first in MERGED else path


MERGED = ["bin", "lib", "lib64", "sbin"]


def linked(program: bytes) -> tuple[str, list[str]]:
    """Of a 64-bit little-endian ELF file: the loader (or nothing), and the names of its libraries."""
    if program[:6] != b"\x7fELF\x02\x01":
        raise SystemExit("error: not a 64-bit little-endian ELF file")
    (table,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", program, table + index * size) for index in range(count)]
    loads = [(address, length, offset) for kind, _, offset, address, _, length, _, _ in headers if kind == 1]
    interpreter, names, strings = "", [], 0
    for kind, _, offset, _, _, length, _, _ in headers:
        if kind == 3:
            interpreter = program[offset : offset + length].rstrip(b"\0").decode()
        if kind == 2:
            for place in range(offset, offset + length, 16):
                tag, value = struct.unpack_from("<qQ", program, place)
                if tag == 0:
                    break
                if tag == 1:
                    names.append(value)
                if tag == 5:
                    strings = next(value - address + at for address, size, at in loads if 0 <= value - address < size)
    return interpreter, [program[strings + name : program.index(b"\0", strings + name)].decode() for name in names]


def run(*words) -> bytes:
    return subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE).stdout
