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

# What dnsmasq 2.90 answered: to questions for SRV records (two, without and with EDNS, none for `.`, one of another
# zone, no such name, behind a CNAME), and to one for all records of a host.
answers = [
    "123485800001000200000003075f6f7264657273045f7463700473686f7004746573740000210001c00c002100010000001e"
    "0013000200071f9101620473686f70047465737400c00c002100010000001e0013000100051f9001610473686f7004746573"
    "7400c059000100010000001e0004c0000201c059001c00010000001e001020010db8000000000000000000000001c03a0001"
    "00010000001e0004c0000202",
    "123485800001000200000004075f6f7264657273045f7463700473686f7004746573740000210001c00c002100010000001e"
    "0013000100051f9001610473686f70047465737400c00c002100010000001e0013000200071f9101620473686f7004746573"
    "7400c059000100010000001e0004c0000202c03a001c00010000001e001020010db8000000000000000000000001c03a0001"
    "00010000001e0004c000020100002904d0000000000000",
    "123485800001000100000000055f6e6f6e65045f7463700473686f7004746573740000210001c00c002100010000001e0007"
    "00000000000100",
    "123485800001000100000000045f6f6e65045f7463700473686f7004746573740000210001c00c002100010000001e001700"
    "00000001bb0163056f74686572076578616d706c6500",
    "123481830001000000000000085f6d697373696e67045f7463700473686f7004746573740000210001",
    "123485800001000300000003065f616c696173045f7463700473686f7004746573740000210001c00c000500010000001e00"
    "18075f6f7264657273045f7463700473686f70047465737400c033002100010000001e0013000200071f9101620473686f70"
    "047465737400c033002100010000001e0013000100051f9001610473686f70047465737400c07c000100010000001e0004c0"
    "000201c07c001c00010000001e001020010db8000000000000000000000001c05d000100010000001e0004c0000202",
    "12348580000100020000000001610473686f7004746573740000ff0001c00c000100010000001e0004c0000201c00c001c00"
    "010000001e001020010db8000000000000000000000001",
]

write("ProxyHeaders", headers)
write("ServiceAnswers", [bytes.fromhex(answer) for answer in answers])
write("SPIFFEIDs", [entry["id"].encode("utf-8", "surrogatepass") for entry in ids])
write("Certificates", certificates())
write("Bundles", [json.dumps(entry["bundle"]).encode() for entry in bundles])
write("WorkloadAPI", [b"\x80" + part for part in (message, b"\0\0\0\0\x02\x08\x09" * 3, http)])
write("Settings", [block.encode() for block in re.findall(r"```yaml\n(.*?)```", readme, re.S)])
