"""Writes an OCI image layout (image-spec 1.1): the same input gives the same bytes."""

import gzip
import hashlib
import io
import json
import posixpath
import shutil
import tarfile
from pathlib import Path

from packages import Entry


def write_layout(folder: Path, layers: list[tuple[str, dict[str, Entry], int]], config: dict, annotations: dict):
    """Writes the layout to `folder`, which it replaces.

    `layers` are comments, trees, and the time of all files in Unix seconds. Returns the digest of the manifest, and the bytes that a registry would hold.
    """
    shutil.rmtree(folder, ignore_errors=True)
    blobs = Blobs(folder)
    descriptors, identifiers, history = [], [], []
    created = annotations["org.opencontainers.image.created"]
    for comment, tree, time in layers:
        archive = tar(tree, time)
        identifiers.append("sha256:" + hashlib.sha256(archive).hexdigest())
        # No time and no name in the header.
        packed = gzip.compress(archive, compresslevel=9, mtime=0)
        descriptors.append(blobs.add("application/vnd.oci.image.layer.v1.tar+gzip", packed))
        history.append({"created": created, "created_by": comment})
    config = config | {
        "created": created,
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": identifiers},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blobs.add("application/vnd.oci.image.config.v1+json", text(config)),
        "layers": descriptors,
        "annotations": annotations,
    }
    descriptor = blobs.add(MANIFEST, text(manifest)) | {
        "annotations": {"org.opencontainers.image.ref.name": annotations["org.opencontainers.image.version"]},
        "platform": {"architecture": config["architecture"], "os": "linux"},
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor]}
    (folder / "index.json").write_bytes(text(index))
    (folder / "oci-layout").write_bytes(text({"imageLayoutVersion": "1.0.0"}))
    return descriptor["digest"], descriptor["size"] + manifest["config"]["size"] + sum(d["size"] for d in descriptors)


MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Blobs:
    def __init__(self, folder: Path):
        self.folder = folder / "blobs" / "sha256"
        self.folder.mkdir(parents=True)

    def add(self, kind: str, data: bytes) -> dict:
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / digest).write_bytes(data)
        return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}


def with_folders(tree: dict[str, Entry]) -> dict[str, Entry]:
    """The tree with each folder that its paths pass, in the order of an archive."""
    whole = dict(tree)
    for path in tree:
        while path := posixpath.dirname(path):
            whole.setdefault(path, Entry("folder"))
    return dict(sorted(whole.items()))


def tar(tree: dict[str, Entry], time: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, entry in with_folders(tree).items():
            member = tarfile.TarInfo(path)
            member.mtime, member.mode, member.size = time, entry.mode, len(entry.data)
            member.type = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}[entry.kind]
            member.linkname = entry.target
            archive.addfile(member, io.BytesIO(entry.data))
    return buffer.getvalue()


def write_tree(folder: Path, tree: dict[str, Entry]):
    """Writes the tree itself, for engines that copy folders into an image."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, entry in with_folders(tree).items():
        place = folder / path
        if entry.kind == "folder":
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(entry.mode)
        elif entry.kind == "link":
            place.symlink_to(entry.target)
        else:
            place.write_bytes(entry.data)
            place.chmod(entry.mode)


def text(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
