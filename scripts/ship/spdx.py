"""A software bill of materials (SPDX 2.3, JSON): the same input gives the same bytes."""

import datetime
import hashlib
import json
import re
import uuid

from packages import Entry, Package


def document(
    name: str, version: str, epoch: int, packages: list[Package], parts: list[dict], tree: dict[str, Entry]
) -> bytes:
    """Lists the packages, and the files of each; `parts` are the packages that are linked into the program."""
    described = [debian(package, tree) for package in packages]
    own = own_package(name, version, tree)
    files = [file(path, entry) for path, entry in sorted(tree.items()) if entry.kind == "file"]
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])]
    relations += [relation(own["SPDXID"], "STATIC_LINK", part["SPDXID"]) for part in parts]
    relations += [relation(own["SPDXID"], "DEPENDS_ON", package["SPDXID"]) for package in described]
    for path, entry in sorted(tree.items()):
        if entry.kind == "file":
            owner = debian_id(entry.package) if entry.package else own["SPDXID"]
            relations.append(relation(owner, "CONTAINS", file_id(path)))
    body = {
        "SPDXID": "SPDXRef-DOCUMENT",
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "name": f"{name}-{version}",
        "creationInfo": {"created": utc(epoch), "creators": [f"Tool: {name}-image"]},
        "packages": [own] + parts + described,
        "files": files,
        "relationships": relations,
    }
    # Unique to the contents.
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    body["documentNamespace"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}"
    return (json.dumps(body, indent=1, sort_keys=True) + "\n").encode()


def part(name: str, version: str, location: str = "NOASSERTION", commit: str = "") -> dict:
    """A package that is linked statically."""
    package = blank("SPDXRef-part-" + clean(name), name, version)
    package["filesAnalyzed"] = False
    package["downloadLocation"] = f"git+{location}@{commit}" if commit else location
    return package


def own_package(name: str, version: str, tree: dict[str, Entry]) -> dict:
    package = blank("SPDXRef-" + clean(name), name, version)
    package["primaryPackagePurpose"] = "APPLICATION"
    return package | analyzed(entry for entry in tree.values() if entry.kind == "file" and not entry.package)


def debian(package: Package, tree: dict[str, Entry]) -> dict:
    name, version = package["Package"], package["Version"]
    locator = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}"
    described = blank(debian_id(name), name, version)
    described["supplier"] = "Organization: Debian"
    # The source package, with its version in parentheses where that is another one.
    source = (package["Source"] or name).split(" ")
    source_version = source[1].strip("()") if len(source) > 1 else version
    described["sourceInfo"] = f"built from the Debian source package {source[0]} {source_version}"
    described["externalRefs"] = [
        {
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"{locator}?arch={package['Architecture']}&distro=debian-13",
        }
    ]
    return described | analyzed(entry for entry in tree.values() if entry.kind == "file" and entry.package == name)


def analyzed(entries) -> dict:
    digests = sorted(hashlib.sha1(entry.data).hexdigest() for entry in entries)
    code = hashlib.sha1("".join(digests).encode()).hexdigest()
    return {"filesAnalyzed": True, "packageVerificationCode": {"packageVerificationCodeValue": code}}


def file(path: str, entry: Entry) -> dict:
    return {
        "SPDXID": file_id(path),
        "fileName": "./" + path,
        "checksums": [
            # The format requires SHA-1.
            {"algorithm": "SHA1", "checksumValue": hashlib.sha1(entry.data).hexdigest()},
            {"algorithm": "SHA256", "checksumValue": hashlib.sha256(entry.data).hexdigest()},
        ],
        "copyrightText": "NOASSERTION",
        "licenseConcluded": "NOASSERTION",
        "licenseInfoInFiles": ["NOASSERTION"],
    }


def blank(identifier: str, name: str, version: str) -> dict:
    return {
        "SPDXID": identifier,
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
    }


def relation(one: str, kind: str, other: str) -> dict:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def debian_id(name: str) -> str:
    return "SPDXRef-deb-" + clean(name)


def file_id(path: str) -> str:
    # The path itself may not be unique once its other characters are gone.
    return "SPDXRef-file-" + hashlib.sha256(path.encode()).hexdigest()[:16]


def clean(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", name)


def utc(epoch: int) -> str:
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
