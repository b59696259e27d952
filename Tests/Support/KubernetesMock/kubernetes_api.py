"""A Kubernetes API server of one process, with what clients must cope with.

kubernetes_api.py CERTIFICATE KEY TOKEN [--crd FILE]... [--kubelet FOLDER] [--rbac FILE NAME/]

Serves HTTPS on a port of loopback that it prints. Objects have resourceVersions, updates conflict, watches have
bookmarks and time limits, lists have pages. What is written is validated by the schemas of Kubernetes, and custom
resources by those of their CustomResourceDefinition. The token in the file is the one that is right.

POST /_mock takes {"faults": [{"method", "path" (a pattern), "fault", "times"}], "compact": true, "disconnect": true,
"down": whether nobody is answered}; GET /_mock gives the requests so far. Faults: 409, 410, 429, 500, hang, garbage, cut,
close, not-json, long-line, wrong-status, redirect, endless.

With --rbac, clients of that user agent may do only what the ClusterRole of its name in the file says.

The kubelet writes each ConfigMap to FOLDER/NAMESPACE/NAME as it does into a volume: a link to a folder is replaced.
"""

import argparse
import base64
import copy
import datetime
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import threading
import time
import urllib.parse
import uuid

import jsonpatch
import jsonschema
import kubernetes_validate
import yaml

VERSION = "1.37"
# With native sidecars.
OLDEST = "1.29"
KINDS = {
    ("", "v1", "configmaps"): ("ConfigMap", True),
    ("", "v1", "secrets"): ("Secret", True),
    ("", "v1", "pods"): ("Pod", True),
    ("", "v1", "namespaces"): ("Namespace", False),
    ("coordination.k8s.io", "v1", "leases"): ("Lease", True),
    ("apps", "v1", "replicasets"): ("ReplicaSet", True),
    ("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations"): ("MutatingWebhookConfiguration", False),
}
WITH_STATUS = {("", "v1", "pods")}


class Refusal(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def status(self):
        return {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message,
            "reason": self.reason, "code": self.code,
        }


def name_of(value):
    return isinstance(value, str) and len(value) <= 253 and re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", value)


class Store:
    """All objects, and the events since the oldest version that is still known."""

    def __init__(self, crds):
        self.changed = threading.Condition()
        self.objects, self.events, self.snapshots = {}, [], {}
        self.version, self.floor, self.epoch, self.is_down = 100, 0, 0, False
        self.schemas = {}
        for path in crds:
            crd = yaml.safe_load(pathlib.Path(path).read_text())
            for version in VERSION, OLDEST:
                kubernetes_validate.validate(crd, version, strict=True)
            spec = crd["spec"]
            for version in spec["versions"]:
                key = (spec["group"], version["name"], spec["names"]["plural"])
                KINDS[key] = (spec["names"]["kind"], spec["scope"] == "Namespaced")
                self.schemas[key] = version["schema"]["openAPIV3Schema"]
                if "status" in version.get("subresources", {}):
                    WITH_STATUS.add(key)

    def next_version(self):
        self.version += 1
        return str(self.version)

    def record(self, kind, resource, thing):
        self.events.append((self.version, kind, resource, copy.deepcopy(thing)))
        self.changed.notify_all()

    def check(self, resource, thing):
        kind, is_namespaced = KINDS[resource]
        group, version, _ = resource
        if thing.get("kind") != kind or thing.get("apiVersion") != (f"{group}/{version}" if group else version):
            raise Refusal(400, "BadRequest", f"not a {kind} of {group}/{version}")
        if not name_of(thing["metadata"].get("name")):
            raise Refusal(422, "Invalid", "metadata.name: Invalid value")
        shown = {key: value for key, value in thing.items()}
        if resource in self.schemas:
            if problem := first_problem(self.schemas[resource], shown):
                raise Refusal(422, "Invalid", f'{kind} "{thing["metadata"]["name"]}" is invalid: {problem}')
        else:
            try:
                kubernetes_validate.validate(shown, VERSION, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise Refusal(422, "Invalid", f"{kind} is invalid: {error.message[:500]}")
        data = (thing.get("data") or {}) | (thing.get("binaryData") or {})
        if sum(len(value.encode()) for value in data.values()) > 1 << 20:
            raise Refusal(422, "Invalid", "data: Too long: may not be more than 1048576 bytes")
        for value in (thing.get("data") or {}).values() if kind == "Secret" else []:
            base64.b64decode(value, validate=True)

    def create(self, resource, namespace, thing):
        meta = thing.setdefault("metadata", {})
        if namespace:
            if meta.setdefault("namespace", namespace) != namespace:
                raise Refusal(400, "BadRequest", "the namespace of the object is not that of the request")
        if "resourceVersion" in meta:
            raise Refusal(400, "BadRequest", "resourceVersion should not be set on objects to be created")
        self.check(resource, thing)
        key = (resource, namespace, meta["name"])
        if key in self.objects:
            raise Refusal(409, "AlreadyExists", f'{resource[2]} "{meta["name"]}" already exists')
        if resource in WITH_STATUS and resource in self.schemas:
            thing.pop("status", None)
        meta |= {
            "uid": str(uuid.uuid4()), "resourceVersion": self.next_version(), "generation": 1,
            "creationTimestamp": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "managedFields": [{"manager": "mock", "operation": "Update", "apiVersion": "v1"}],
        }
        self.objects[key] = thing
        self.record("ADDED", resource, thing)
        return thing

    def replace(self, resource, namespace, name, subresource, thing):
        key = (resource, namespace, name)
        old = self.get(resource, namespace, name)
        wanted = thing.get("metadata", {}).get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise Refusal(
                409, "Conflict", f'Operation cannot be fulfilled on {resource[2]} "{name}": the object has been modified')
        new = copy.deepcopy(old)
        if subresource == "status":
            new["status"] = thing.get("status", {})
        else:
            kept = {part: new["metadata"][part] for part in ("uid", "creationTimestamp", "generation", "managedFields")}
            status = new.get("status")
            new = copy.deepcopy(thing)
            new["metadata"] |= kept
            if resource in WITH_STATUS:
                new.pop("status", None)
                if status is not None:
                    new["status"] = status
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        self.check(resource, new)
        if old.get("immutable") and new.get("data") != old.get("data"):
            raise Refusal(422, "Invalid", "data: Forbidden: field is immutable when `immutable` is set")
        if new == old:
            return old
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        new["metadata"]["resourceVersion"] = self.next_version()
        self.objects[key] = new
        self.record("MODIFIED", resource, new)
        return new

    def get(self, resource, namespace, name):
        try:
            return self.objects[(resource, namespace, name)]
        except KeyError:
            raise Refusal(404, "NotFound", f'{resource[2]} "{name}" not found')

    def delete(self, resource, namespace, name, options):
        old = self.get(resource, namespace, name)
        wanted = (options.get("preconditions") or {}).get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise Refusal(409, "Conflict", "the resourceVersion of the precondition is not that of the object")
        del self.objects[(resource, namespace, name)]
        gone = copy.deepcopy(old)
        gone["metadata"]["resourceVersion"] = self.next_version()
        self.record("DELETED", resource, gone)
        return old

    def matching(self, resource, namespace):
        return [
            copy.deepcopy(thing) for (of, place, _), thing in sorted(self.objects.items())
            if of == resource and (namespace is None or place == namespace)
        ]


def first_problem(schema, thing):
    """What the API server would refuse, or would prune."""
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(thing), key=lambda error: list(map(str, error.absolute_path))):
        return f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}"
    return unknown(schema, thing, "")


def unknown(schema, thing, path):
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return None
    if isinstance(thing, dict) and schema.get("type") == "object":
        for key, value in thing.items():
            if not path and key in ("metadata", "kind", "apiVersion"):
                continue
            inner = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if not isinstance(inner, dict):
                return f'unknown field "{path}{key}"'
            if problem := unknown(inner, value, f"{path}{key}."):
                return problem
    if isinstance(thing, list):
        for value in thing:
            if problem := unknown(schema.get("items", {}), value, path):
                return problem
    return None


def merge(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def selects(query, thing):
    field = query.get("fieldSelector")
    if field and thing["metadata"]["name"] != field.removeprefix("metadata.name="):
        return False
    selector = query.get("labelSelector")
    labels = thing["metadata"].get("labels") or {}
    for part in filter(None, (selector or "").split(",")):
        key, _, value = part.partition("=")
        if key not in labels or (value and labels[key] != value.lstrip("=")):
            return False
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = token = None
    faults, log, agents = [], [], []
    rules, restricted, used = [], None, set()

    def log_message(self, *_):
        pass

    def setup(self):
        self.request.settimeout(30)
        self.request.do_handshake()
        super().setup()

    def answer(self, code, thing, **fields):
        body = json.dumps(thing, ensure_ascii=False, separators=(",", ":")).encode()
        self.send_response(code)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        try:
            if self.headers.get("Authorization") != f"Bearer {self.token.read_text().strip()}":
                raise Refusal(401, "Unauthorized", "Unauthorized")
            if url.path == "/_mock":
                return self.control(json.loads(body) if body else None)
            with self.store.changed:
                if self.store.is_down:
                    self.close_connection = True
                    return
                self.log.append(f"{self.command} {self.path}")
                self.agents.append(self.headers.get("User-Agent", ""))
                fault = next(
                    (f for f in self.faults if f["times"] > 0 and f["method"] == self.command
                     and re.search(f["path"], self.path)), None)
                if fault:
                    fault["times"] -= 1
            if fault:
                return self.misbehave(fault["fault"])
            self.route(url.path, query, json.loads(body) if body else {})
        except Refusal as refusal:
            self.answer(refusal.code, refusal.status())
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def control(self, wishes):
        with self.store.changed:
            if wishes is not None:
                self.faults.extend(wishes.get("faults", []))
                if wishes.get("compact"):
                    self.store.floor = self.store.version
                    self.store.events.clear()
                    self.store.snapshots.clear()
                self.store.is_down = wishes.get("down", self.store.is_down)
                if wishes.get("disconnect") or self.store.is_down:
                    self.store.epoch += 1
                self.store.changed.notify_all()
            unused = sorted(
                f"{verb} {resource}" for rule in self.rules for resource in rule["resources"] for verb in rule["verbs"]
                if (resource, verb) not in self.used)
            return self.answer(200, {
                "requests": list(self.log), "agents": list(self.agents), "faults": self.faults, "unusedRights": unused})

    def misbehave(self, fault):
        self.close_connection = True
        if fault == "429":
            status = Refusal(429, "TooManyRequests", "too many requests, please try again later").status()
            return self.answer(429, status, Retry_After="1")
        if fault == "409":
            return self.answer(409, Refusal(409, "Conflict", "the object has been modified").status())
        if fault == "410":
            return self.answer(410, Refusal(410, "Expired", "The provided continue parameter is too old").status())
        if fault == "500":
            return self.answer(500, Refusal(500, "InternalError", "etcdserver: leader changed\nsecond line").status())
        if fault == "wrong-status":
            return self.answer(503, "<html>no Status</html>")
        if fault == "redirect":
            self.send_response(302)
            self.send_header("Location", "https://localhost:1/")
            return self.end_headers()
        if fault == "hang":
            return time.sleep(20)
        if fault == "garbage":
            return self.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n" * 10)
        if fault == "not-json":
            self.send_response(200)
            self.send_header("Content-Length", "9")
            self.end_headers()
            return self.wfile.write(b'{"items":')
        if fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"items": [')
            self.wfile.flush()
            return self.request.shutdown(socket.SHUT_RDWR)
        if fault == "close":
            return None
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        piece = b"x" * 65536
        for _ in range(200 if fault == "long-line" else 10_000):
            self.chunk(piece)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def route(self, path, query, body):
        match = re.fullmatch(
            r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))(?:/namespaces/(?P<namespace>[^/]+))?"
            r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?", path)
        if not match:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        part = {key: urllib.parse.unquote(value) if value else value for key, value in match.groupdict().items()}
        resource = (part["group"] or "", part["core"] or part["version"], part["plural"])
        if resource not in KINDS or (part["sub"] and (part["sub"] != "status" or resource not in WITH_STATUS)):
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        self.authorize(resource, part["name"], part["sub"], query)
        namespace, name, sub = part["namespace"] if KINDS[resource][1] else None, part["name"], part["sub"]
        if self.command == "GET" and not name and query.get("watch") in ("1", "true"):
            return self.watch(resource, namespace, query)
        with self.store.changed:
            if self.command == "GET":
                found = self.store.get(resource, namespace, name) if name else self.list(resource, namespace, query)
                code, result = 200, found
            elif self.command == "POST":
                code, result = 201, self.store.create(resource, namespace, body)
            elif self.command == "PUT":
                code, result = 200, self.store.replace(resource, namespace, name, sub, body)
            elif self.command == "PATCH":
                old = self.store.get(resource, namespace, name)
                form = self.headers.get("Content-Type")
                if form == "application/merge-patch+json":
                    new = merge(old, body)
                elif form == "application/json-patch+json":
                    try:
                        new = jsonpatch.apply_patch(old, body)
                    except jsonpatch.JsonPatchException as error:
                        raise Refusal(422, "Invalid", str(error))
                else:
                    raise Refusal(415, "UnsupportedMediaType", "no known format of patches")
                code, result = 200, self.store.replace(resource, namespace, name, sub, copy.deepcopy(new))
            else:
                code, result = 200, self.store.delete(resource, namespace, name, body)
            result = copy.deepcopy(result)
        self.answer(code, result)

    def authorize(self, resource, name, sub, query):
        if not self.restricted or not self.headers.get("User-Agent", "").startswith(self.restricted):
            return
        verb = {"POST": "create", "PUT": "update"}.get(self.command, self.command.lower())
        if verb == "get" and not name:
            verb = "watch" if "watch" in query else "list"
        target = resource[2] + (f"/{sub}" if sub else "")
        if not any(
            resource[0] in rule["apiGroups"] and target in rule["resources"] and verb in rule["verbs"]
            and ("resourceNames" not in rule or name in rule["resourceNames"]) for rule in self.rules
        ):
            raise Refusal(403, "Forbidden", f"cannot {verb} resource {target}")
        self.used.add((target, verb))

    def list(self, resource, namespace, query):
        store = self.store
        limit, token = int(query.get("limit") or 0), query.get("continue")
        if token:
            if token not in store.snapshots:
                raise Refusal(410, "Expired", "The provided continue parameter is too old to display a consistent list")
            version, rest = store.snapshots.pop(token)
        else:
            version = store.version
            rest = [t for t in store.matching(resource, namespace) if selects(query, t)]
        metadata = {"resourceVersion": str(version)}
        items = rest[:limit] if limit else rest
        if limit and len(rest) > limit:
            metadata["continue"] = base64.b64encode(uuid.uuid4().bytes + b"\xff\xfe").decode()
            metadata["remainingItemCount"] = len(rest) - limit
            store.snapshots[metadata["continue"]] = (version, rest[limit:])
        group, version_name, _ = resource
        return {
            "kind": KINDS[resource][0] + "List", "apiVersion": f"{group}/{version_name}" if group else version_name,
            "metadata": metadata, "items": items,
        }

    def watch(self, resource, namespace, query):
        store = self.store
        seen, end = int(query["resourceVersion"]), time.monotonic() + int(query.get("timeoutSeconds") or 60)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True

        def send(kind, thing):
            text = json.dumps({"type": kind, "object": thing}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            # As a network cuts it.
            half = len(text) // 2
            self.chunk(text[:half])
            self.chunk(text[half:])

        with store.changed:
            epoch = store.epoch
        told = 0
        while True:
            with store.changed:
                events = [e for e in store.events if e[0] > seen and e[2] == resource]
                if not events and store.epoch == epoch and seen >= store.floor:
                    store.changed.wait(max(0, min(0.3, end - time.monotonic())))
                    events = [e for e in store.events if e[0] > seen and e[2] == resource]
                version, floor, is_over = store.version, store.floor, store.epoch != epoch
            if is_over:
                self.request.shutdown(socket.SHUT_RDWR)
                return
            if seen < floor:
                send("ERROR", Refusal(410, "Expired", f"too old resource version: {seen} ({floor})").status())
                break
            for at, kind, _, thing in events:
                if (namespace is None or thing["metadata"].get("namespace") == namespace) and selects(query, thing):
                    send(kind, thing)
                seen = at
            if not events and query.get("allowWatchBookmarks") == "true" and version > told:
                kind = KINDS[resource][0]
                group, version_name, _ = resource
                send("BOOKMARK", {
                    "kind": kind, "apiVersion": f"{group}/{version_name}" if group else version_name,
                    "metadata": {"resourceVersion": str(version), "creationTimestamp": None}, "spec": {}})
                seen = told = version
            if time.monotonic() >= end:
                break
        self.wfile.write(b"0\r\n\r\n")


def kubelet(store, folder):
    """Mounts each ConfigMap, some moments later."""
    seen = 0
    while True:
        with store.changed:
            store.changed.wait_for(lambda: store.version > seen)
            seen = store.version
            maps = store.matching(("", "v1", "configmaps"), None)
        for thing in maps:
            mount = pathlib.Path(folder, thing["metadata"]["namespace"], thing["metadata"]["name"])
            version = mount / f"..{thing['metadata']['resourceVersion']}"
            if version.exists():
                continue
            version.mkdir(parents=True)
            for name, text in (thing.get("data") or {}).items():
                (version / name).write_text(text)
                if not (mount / name).is_symlink():
                    (mount / name).symlink_to(f"..data/{name}")
            (mount / "..data_tmp").symlink_to(version.name)
            os.rename(mount / "..data_tmp", mount / "..data")
            for old in mount.glob("..[0-9]*"):
                if old != version:
                    shutil.rmtree(old)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("token", type=pathlib.Path)
    parser.add_argument("--crd", action="append", default=[])
    parser.add_argument("--kubelet")
    parser.add_argument("--rbac", nargs=2, metavar=("FILE", "NAME/"))
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    Handler.store, Handler.token = Store(options.crd), options.token
    if options.rbac:
        Handler.restricted = options.rbac[1]
        for thing in yaml.safe_load_all(pathlib.Path(options.rbac[0]).read_text()):
            if thing and thing["kind"] == "ClusterRole" and thing["metadata"]["name"] == options.rbac[1].partition("/")[0]:
                Handler.rules = Handler.rules + thing["rules"]
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    if options.kubelet:
        threading.Thread(target=kubelet, args=(Handler.store, options.kubelet), daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
