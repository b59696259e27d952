"""Writes the corpus that fuzzing begins with: seeds.py FOLDER, from the vectors and the README of the checkout."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
target = pathlib.Path(sys.argv[1])


def write(name, seeds):
    folder = target / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number:04}").write_bytes(seed)


def field(number, value):
    value = value if isinstance(value, bytes) else value.encode()
    return bytes([number << 3 | 2, len(value)]) + value


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def certificates():
    names = ["spiffe://example.org/a", "spiffe://example.org", "https://example.org", "spiffe://a/b,URI:spiffe://a/c"]
    for name in names:
        for usage in ("digitalSignature", "keyCertSign,cRLSign"):
            yield subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 "/dev/null", "-subj", "/CN=a", "-outform", "DER", "-addext", f"subjectAltName=URI:{name}", "-addext",
                 f"keyUsage=critical,{usage}"],
                check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        run = lambda *words: subprocess.run(words, check=True, capture_output=True, cwd=folder)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
        pathlib.Path(folder, "index").write_text("R\t300101000000Z\t200101000000Z\t01\tunknown\t/CN=x\n")
        pathlib.Path(folder, "conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=30\n")
        run("openssl", "ca", "-config", "conf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-out", "crl.pem")
        run("openssl", "crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der")
        yield pathlib.Path(folder, "crl.der").read_bytes()


ids = json.loads((root / "Tests/IdentityTests/Resources/spiffe_ids.json").read_text())["ids"]
bundles = json.loads((root / "Tests/FederationTests/Resources/spiffe_bundles.json").read_text())
readme = (root / "README.md").read_text()
svid = field(1, "spiffe://example.org/a") + field(2, b"\x30\x00") + field(3, b"\x30\x00") + field(4, b"\x30\x00")
message = field(1, svid + field(5, "internal")) + field(3, field(1, "partner.test") + field(2, b"\x30\x00"))
http = frame(4, 0, 0, b"") + frame(4, 1, 0, b"") + frame(1, 4, 1, b"\x88\x5f\x10application/grpc")
http += frame(0, 0, 1, b"\0" + len(message).to_bytes(4, "big") + message)
http += frame(1, 5, 1, b"\x40\x0bgrpc-status\x017") + frame(6, 0, 0, b"12345678") + frame(7, 0, 0, b"\0" * 8)

signature = b"\r\n\r\n\0\r\nQUIT\n"
headers = [b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY TCP6 ::1 ::1 1 2\r\n", b"PROXY UNKNOWN\r\n"]
headers += [signature + b"\x20\0\0\0", signature + b"\x21\x11\0\x10" + bytes(12) + b"\x04\0\x01\0"]
headers += [signature + b"\x21\x21\0\x24" + bytes(36)]

write("ProxyHeaders", headers)
write("SPIFFEIDs", [entry["id"].encode("utf-8", "surrogatepass") for entry in ids])
write("Certificates", certificates())
write("Bundles", [json.dumps(entry["bundle"]).encode() for entry in bundles])
write("WorkloadAPI", [b"\x80" + part for part in (message, b"\0\0\0\0\x02\x08\x09" * 3, http)])
write("Settings", [block.encode() for block in re.findall(r"```yaml\n(.*?)```", readme, re.S)])
