"""What is in the image: see `scripts/image`, which calls this."""

import argparse
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path

import oci
import spdx
from packages import MERGED, Entry, Packages

# What `postern redirect` calls: nft, ip, and the names of xtables by which it asks for either backend.
REDIRECTION = ["usr/sbin/nft", "usr/bin/ip"] + [
    f"usr/sbin/{family}-{backend}{suffix}"
    for family in ["iptables", "ip6tables"]
    for backend in ["nft", "legacy"]
    for suffix in ["", "-save", "-restore"]
]


@dataclass(frozen=True)
class Program:
    """A program with an image of its own."""

    description: str
    user: int
    """As `postern inject`, or the chart, has it."""
    command: list[str]
    """Its arguments, unless others are given."""
    tools: list[str] = field(default_factory=list)
    """The programs of packages that it calls."""
    environment: list[str] = field(default_factory=list)


IMAGES = {
    "postern": Program(
        "A userspace mTLS sidecar proxy that authorizes by SPIFFE ID",
        1337,
        ["run", "--config", "/etc/postern/postern.yaml"],
        REDIRECTION,
        # A root file system may be read-only; containers have this folder of their own.
        ["XTABLES_LOCKFILE=/dev/shm/xtables.lock"],
    ),
    "postern-injector": Program("The webhook that adds Postern to the pods of Kubernetes", 1336, ["run"]),
    "postern-controller": Program("The controller that makes settings of policies in Kubernetes", 1335, ["run"]),
}

# Files of packages that no program links.
FILES = ["etc/protocols", "etc/ssl/openssl.cnf", "usr/lib/os-release", "etc/os-release"]
FILES += ["usr/lib/ssl/cert.pem", "usr/lib/ssl/openssl.cnf"]

def main():
    options = arguments()
    name, image = options.program, IMAGES[options.program]
    packages = Packages(options.packages)
    binary = options.binary.read_bytes()
    base = debian_tree(packages, binary, name, image)
    program = {f"usr/bin/{name}": Entry("file", 0o755, binary)}
    bill = spdx.document(
        name,
        options.version,
        options.epoch,
        used(packages, base),
        linked_parts(options),
        {path: entry for path, entry in (base | program).items() if not path.startswith("usr/share/doc/")},
    )
    program[f"usr/share/postern/{name}.spdx.json"] = Entry("file", 0o644, bill)
    if options.tree:
        oci.write_tree(options.tree, base | program)
        return
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{name}.spdx.json").write_bytes(bill)
    labels = {
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.description": image.description,
        "org.opencontainers.image.version": options.version,
        "org.opencontainers.image.revision": options.commit,
        "org.opencontainers.image.created": spdx.utc(options.epoch),
    }
    config = {
        "architecture": next(iter(used(packages, base, "libc6")))["Architecture"],
        "os": "linux",
        "config": {
            "User": f"{image.user}:{image.user}",
            "Env": ["PATH=/usr/sbin:/usr/bin"] + image.environment,
            "Entrypoint": [f"/usr/bin/{name}"],
            "Cmd": image.command,
            "WorkingDir": "/",
            "StopSignal": "SIGTERM",
            "Labels": labels,
        },
    }
    layers = [
        # Not of the commit's time, so that a new version of the program has the same first layer.
        (
            f"Debian 13 packages: shared libraries{', nft, iptables, ip' if image.tools else ''}",
            base,
            max(package.time for package in packages.all.values()),
        ),
        (f"{name} {options.version}", program, options.epoch),
    ]
    digest, size = oci.write_layout(options.output / "oci", layers, config, labels)
    print(f"{digest} {size}")


def debian_tree(packages: Packages, binary: bytes, name: str, image: Program) -> dict[str, Entry]:
    """All but the program itself."""
    tree: dict[str, Entry] = {}
    packages.add_libraries(tree, binary)
    for path in image.tools:
        packages.add(tree, path)
    for path in packages.matching("usr/lib/", ".so"):
        # Loaded by name: what iptables calls matches and targets, and OpenSSL's FIPS provider.
        if ("/xtables/" in path and image.tools) or path.endswith("/ossl-modules/fips.so"):
            packages.add(tree, path)
    roots = packages.matching("usr/share/ca-certificates/mozilla/", ".crt")
    certificates = b"".join(packages.entries[path].data.rstrip(b"\n") + b"\n" for path in roots)
    tree["etc/ssl/certs/ca-certificates.crt"] = Entry("file", 0o644, certificates, package="ca-certificates")
    for path in FILES:
        packages.add(tree, path)
    tree |= {name: Entry("link", 0o777, target=f"usr/{name}") for name in MERGED}
    # A link leads nowhere in a folder that is not there.
    tree |= {f"usr/{name}": Entry("folder") for name in MERGED}
    tree |= {name: Entry("folder") for name in ["dev", "etc/postern", "proc", "run", "sys"]}
    tree["tmp"] = Entry("folder", 0o1777)
    tree |= {path: Entry("file", 0o644, text.encode()) for path, text in accounts(name, image.user).items()}
    tree |= fips_settings(tree)
    for package in used(packages, tree):
        name = package["Package"]
        # Where scanners of images without dpkg look.
        tree[f"var/lib/dpkg/status.d/{name}"] = Entry("file", 0o644, package.control.encode(), package=name)
        for path in [f"usr/share/doc/{name}/copyright", f"usr/share/doc/{name}"]:
            if path in packages.entries:
                # The folder may be a link to that of another package of the same source.
                add_document(packages, tree, path)
    return tree


def add_document(packages: Packages, tree: dict[str, Entry], path: str):
    entry = packages.entries[path]
    if entry.kind == "file":
        tree[path] = entry
    elif entry.kind == "link":
        tree[path] = entry
        target = f"usr/share/doc/{Path(entry.target).name}"
        if entry.target.endswith("copyright"):
            target = f"usr/share/doc/{Path(entry.target).parent.name}/copyright"
        elif f"{target}/copyright" in packages.entries:
            target += "/copyright"
        if target in packages.entries and target not in tree:
            add_document(packages, tree, target)


def accounts(name: str, user: int) -> dict[str, str]:
    users = [("root", 0), (name, user), ("nobody", 65534)]
    return {
        "etc/passwd": "".join(f"{name}:x:{id}:{id}:{name}:/:/usr/sbin/nologin\n" for name, id in users),
        "etc/group": "".join(f"{name}:x:{id}:\n" for name, id in users),
    }


def fips_settings(tree: dict[str, Entry]) -> dict[str, Entry]:
    """What `openssl fipsinstall` writes, and settings that include it: OPENSSL_CONF=/etc/ssl/fips.cnf."""
    module = next(entry for path, entry in tree.items() if path.endswith("/fips.so"))
    # The key of the integrity check is a constant of OpenSSL, in the module as well.
    key = bytes.fromhex("f4556650ac31d35461610bac4ed81b1a181b2d8a43ea2854cbae22ca74560813")
    code = hmac.new(key, module.data, hashlib.sha256).hexdigest().upper()
    pairs = ":".join(code[place : place + 2] for place in range(0, len(code), 2))
    section = "[fips_sect]\nactivate = 1\ninstall-version = 1\nconditional-errors = 1\nsecurity-checks = 1\n"
    section += f"pbkdf2-lower-bound-check = 1\nmodule-mac = {pairs}\n"
    settings = """\
openssl_conf = openssl_init
.include /etc/ssl/fipsmodule.cnf
[openssl_init]
providers = provider_sect
[provider_sect]
fips = fips_sect
base = base_sect
[base_sect]
activate = 1
"""
    return {
        "etc/ssl/fipsmodule.cnf": Entry("file", 0o644, section.encode()),
        "etc/ssl/fips.cnf": Entry("file", 0o644, settings.encode()),
    }


def used(packages: Packages, tree: dict[str, Entry], *names: str):
    """The packages that have something in the tree."""
    owners = set(names) or {entry.package for entry in tree.values() if entry.package}
    return [package for name, package in sorted(packages.all.items()) if name in owners]


def linked_parts(options) -> list[dict]:
    """What is linked into the program: the Swift packages of Package.resolved, and Swift's own libraries."""
    parts = [spdx.part("swift-standard-library", options.swift)] if options.swift else []
    if options.resolved and options.resolved.exists():
        for pin in json.loads(options.resolved.read_text())["pins"]:
            state = pin["state"]
            parts.append(
                spdx.part(pin["identity"], state.get("version", "unknown"), pin["location"], state.get("revision", ""))
            )
    return parts


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", choices=IMAGES, default="postern")
    parser.add_argument("--packages", type=Path, required=True, help="the folder with the .deb files")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--commit", default="")
    parser.add_argument("--epoch", type=int, required=True, help="Unix seconds, of the program and the image")
    parser.add_argument("--resolved", type=Path, help="Package.resolved")
    parser.add_argument("--swift", default="", help="the compiler's version")
    parser.add_argument("--output", type=Path, help="the folder for the layout and the bill of materials")
    parser.add_argument("--tree", type=Path, help="an empty folder: write the files there instead")
    return parser.parse_args()


if __name__ == "__main__":
    main()
