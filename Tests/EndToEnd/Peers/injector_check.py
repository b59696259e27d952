"""Calls the webhook as kube-apiserver does, and as others might: Python's own TLS and HTTP, and curl.

injector_check.py PORT ADMIN_PORT PID FOLDER   FOLDER has ca.pem, client.pem, client.key, and the folders one, two and
flawed with tls.crt and tls.key; serving has the links of a mounted Secret. Prints what was counted.
"""

import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import admission_check

HOST = "postern-injector.postern-system.svc"
POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"generateName": "a-", "annotations": admission_check.ODD},
    "spec": {"containers": [{"name": "a", "image": "a"}], "unheardOf": [1.5, {"a": None}]},
}


def encoded(pod):
    """A review as kube-apiserver writes it: in UTF-8."""
    return json.dumps(admission_check.review(pod), ensure_ascii=False).encode()


class Webhook:
    def __init__(self, port, admin, folder):
        self.port, self.admin, self.folder = int(port), int(admin), pathlib.Path(folder)
        self.tls = ssl.create_default_context(cafile=self.folder / "ca.pem")
        self.tls.set_alpn_protocols(["h2", "http/1.1"])
        self.tls.load_cert_chain(self.folder / "client.pem", self.folder / "client.key")

    def socket(self, context=None):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return (context or self.tls).wrap_socket(plain, server_hostname=HOST)

    def connection(self):
        connection = http.client.HTTPConnection(HOST)
        connection.sock = self.socket()
        return connection

    def post(self, body, connection=None, path="/inject?timeout=10s", kind="application/json", method="POST"):
        connection = connection or self.connection()
        connection.request(method, path, body, {"Content-Type": kind} if kind else {})
        response = connection.getresponse()
        return response.status, response.read()

    def answer(self, body):
        status, text = self.post(body)
        assert status == 200, (status, text)
        return text

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=20) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def figure(self, name):
        lines = [line for line in self.get("/metrics")[1].splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def serve(self, name):
        """As the kubelet changes a mounted Secret: the link ..data leads to another folder."""
        link = self.folder / "serving" / "..data_tmp"
        link.symlink_to(self.folder / name)
        link.rename(self.folder / "serving" / "..data")

    def serial(self):
        with self.socket() as connection:
            assert connection.selected_alpn_protocol() == "http/1.1" and connection.version() == "TLSv1.3"
            return connection.getpeercert()["serialNumber"]


def eventually(probe):
    end = time.monotonic() + 20
    while not probe():
        assert time.monotonic() < end, "that takes too long"
        time.sleep(0.01)


def reviews(webhook):
    admission_check.special(webhook.answer)
    connection = webhook.connection()
    for dry_run in [False, True]:
        question = admission_check.review(POD, dryRun=dry_run)
        status, text = webhook.post(json.dumps(question, ensure_ascii=False).encode(), connection)
        response = json.loads(text)["response"]
        assert status == 200 and response["uid"] == question["request"]["uid"]
        names = [c["name"] for c in admission_check.patched(POD, response)["spec"]["initContainers"]]
        assert names == ["postern-redirect", "postern-validate", "postern-proxy"]
    # Of chunks, and by a client that nobody here wrote.
    body = encoded(POD)
    connection.request("POST", "/inject", (body[i : i + 99] for i in range(0, len(body), 99)), {"Content-Type": "application/json; charset=utf-8"}, encode_chunked=True)
    assert b'"JSONPatch"' in connection.getresponse().read()
    words = ["--cacert", "ca.pem", "--cert", "client.pem", "--key", "client.key", "--resolve", f"{HOST}:{webhook.port}:127.0.0.1"]
    words += ["-H", "Content-Type: application/json", "-H", "Expect: 100-continue", "--data-binary", "@-"]
    result = subprocess.run(["curl", "-sS", "-m", "20", *words, f"https://{HOST}:{webhook.port}/inject"], input=body, capture_output=True, cwd=webhook.folder)
    assert b'"JSONPatch"' in result.stdout, result


def refusals(webhook):
    good = encoded(POD)
    connection = webhook.connection()
    for body in [b"", b"\0" * 1000, b"[" * 100_000, b"{}", good[:-9], b"\xff\xfe" + good, b"{" * 100, good + good]:
        status, text = webhook.post(body, connection)
        assert status == 400 and b"AdmissionReview" in text, (body[:20], status, text)
    for kind in ["text/plain", "application/jsonx", None]:
        assert webhook.post(good, connection, kind=kind)[0] == 415, kind
    assert webhook.post(good, connection, path="/injected")[0] == 404
    assert webhook.post(good, connection, method="PUT")[0] == 405
    assert webhook.post(None, connection, path="/readyz", method="GET") == (200, b"ready\n")
    for method in ["GET", "DELETE"]:
        assert webhook.post(None, connection, method=method)[0] == 405
    # More than there can be, said or sent; a request that is none; plaintext; a body that does not come.
    with webhook.socket() as raw:
        raw.sendall(b"POST /inject HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n")
        assert b" 413 " in raw.recv(4096)
    for text in [b"\0\r\n\r\n", b"GET\r\n\r\n", b"POST /inject HTTP/1.1\r\nA: " + b"a" * 20_000]:
        with webhook.socket() as raw:
            raw.sendall(text)
            answer = raw.recv(4096)
            assert answer == b"" or b" 400 " in answer or b" 413 " in answer, (text, answer)
    with socket.create_connection(("127.0.0.1", webhook.port), timeout=20) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + b"a" * 1000)
        try:
            while raw.recv(4096):
                pass
        except ConnectionResetError:
            pass
    with webhook.socket() as raw:
        raw.sendall(b"POST /inject HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{")
    # Without a certificate, with another name.
    for names, status in [((), None), (("other.pem", "other.key"), 403)]:
        stranger = ssl.create_default_context(cafile=webhook.folder / "ca.pem")
        if names:
            stranger.load_cert_chain(*(webhook.folder / name for name in names))
        try:
            connection = http.client.HTTPConnection(HOST)
            connection.sock = webhook.socket(stranger)
            assert webhook.post(good, connection)[0] == status
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            assert status is None
    # After all that, as before.
    assert b'"JSONPatch"' in webhook.answer(good)


def sizes(webhook):
    """3 MB, which a slow thread answers while others go by; slow clients beside fast ones."""
    pod = json.loads(json.dumps(POD))
    pod["spec"]["containers"][0]["env"] = [{"name": f"E{i}", "value": "x" * 30_000} for i in range(100)]
    large = encoded(pod)
    assert len(large) > 3_000_000
    small = encoded(POD)
    head = b"POST /inject HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(small)
    slow = [webhook.socket() for _ in range(30)]
    for index, connection in enumerate(slow):
        connection.sendall((head + small)[: 10 + index * 10])
    answers = []
    thread = threading.Thread(target=lambda: answers.append(webhook.answer(large)))
    thread.start()
    fast = webhook.connection()
    for _ in range(20):
        assert webhook.post(small, fast)[0] == 200
    thread.join()
    assert b'"JSONPatch"' in answers[0]
    # The slow ones are answered too, within their time.
    for index, connection in enumerate(slow):
        connection.sendall((head + small)[10 + index * 10 :])
    for connection in slow:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        connection.close()


def rotation(webhook):
    """A certificate is replaced under load, on kept connections and new ones, and no review fails."""
    small = encoded(POD)
    counts, problems, is_over = [0, 0], [], threading.Event()

    def load(kind):
        try:
            connection = webhook.connection()
            while not is_over.is_set():
                status, _ = webhook.post(small, connection if kind == 0 else None)
                assert status == 200, status
                counts[kind] += 1
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=load, args=(kind,)) for kind in [0, 1]]
    for thread in threads:
        thread.start()
    serials = {webhook.serial()}
    for name in ["two", "one", "two"]:
        before = webhook.figure("postern_injector_certificate_reloads_total")
        webhook.serve(name)
        eventually(lambda: webhook.figure("postern_injector_certificate_reloads_total") > before)
        serials.add(webhook.serial())
    assert len(serials) == 2
    # A flawed one is not taken.
    current = webhook.serial()
    webhook.serve("flawed")
    eventually(lambda: webhook.figure("postern_injector_certificate_sound") == 0)
    assert webhook.serial() == current and webhook.figure("postern_injector_certificate_failures_total") > 0
    webhook.serve("two")
    eventually(lambda: webhook.figure("postern_injector_certificate_sound") == 1)
    eventually(lambda: problems or min(counts) > 20)
    is_over.set()
    for thread in threads:
        thread.join()
    assert not problems, problems
    return sum(counts)


def drain(webhook, pid):
    """A request that has begun is answered; whoever asks is told; then the process ends."""
    small = encoded(POD)
    head = b"POST /inject HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(small)
    begun, idle, kept = webhook.socket(), webhook.socket(), webhook.connection()
    begun.sendall(head + small[:100])
    assert webhook.post(small, kept)[0] == 200
    assert webhook.get("/livez")[0] == 200 and webhook.get("/readyz")[0] == 200
    os.kill(int(pid), signal.SIGTERM)
    eventually(lambda: webhook.get("/readyz")[0] == 503)
    # Until the service sends nobody here any more, new ones are served too, and told to go.
    assert webhook.post(small)[0] == 200
    kept.request("POST", "/inject", small, {"Content-Type": "application/json"})
    response = kept.getresponse()
    assert response.status == 200 and response.headers["Connection"] == "close"
    # The end of the delay: what is idle is closed.
    assert idle.recv(1) == b""
    begun.sendall(small[100:])
    assert begun.recv(4096).startswith(b"HTTP/1.1 200 ")


def main(port, admin, pid, folder):
    webhook = Webhook(port, admin, folder)
    reviews(webhook)
    refusals(webhook)
    sizes(webhook)
    served = rotation(webhook)
    assert webhook.figure('postern_injector_reviews_total{result="injected"') >= served
    assert webhook.figure('postern_injector_reviews_total{result="malformed"') == 8
    assert webhook.figure('postern_injector_reviews_total{result="denied"') == 2
    assert webhook.figure('postern_injector_requests_refused_total{status="403"}') == 1
    assert webhook.figure("postern_injector_certificate_not_after_seconds") > time.time()
    assert webhook.figure("postern_injector_review_duration_seconds_count") >= served
    drain(webhook, pid)
    print(f"served {served}")


main(*sys.argv[1:])
