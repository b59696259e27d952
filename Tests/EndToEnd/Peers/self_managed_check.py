"""Calls two replicas of the injector as kube-apiserver does: by whom the webhook configuration says is to be trusted.

self_managed_check.py BINARY API CA TOKEN NAMESPACE PORT PORT   the ports are those of the replicas

Prints how many certificates each has served, or what is wrong.
"""

import base64
import json
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

import yaml

binary, api, authorities, token, namespace, *ports = sys.argv[1:]
host = f"postern-injector.{namespace}.svc"
path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
trusted = ssl.create_default_context(cafile=authorities)


def ask(method, path, body=None):
    request = urllib.request.Request(api + path, method=method, data=json.dumps(body).encode() if body else None)
    request.add_header("Authorization", f"Bearer {open(token).read().strip()}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, context=trusted, timeout=20) as answer:
        return json.load(answer)


def configuration():
    return ask("GET", f"{path}/postern-injector")


def bundles(thing):
    return {webhook["clientConfig"].get("caBundle") for webhook in thing["webhooks"]}


def served(port, bundle):
    """The certificate of a replica, verified as Go verifies it: by name, time and authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=base64.b64decode(bundle).decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=host) as session:
            return session.getpeercert(binary_form=True)


def installed():
    words = [binary, "kubernetes", "manifests", "--namespace", namespace]
    words += ["--set", "injector.certificate.source=self-managed", "--set", "webhook.singlePods=true"]
    every = list(yaml.safe_load_all(subprocess.run(words, check=True, capture_output=True, text=True).stdout))
    return next(t for t in every if t["kind"] == "MutatingWebhookConfiguration"), every


def allowed(every):
    """What the roles of the manifests allow: verb, resource, name."""
    rules = [r for t in every if t["kind"] in ("Role", "ClusterRole") and t["metadata"]["name"] == "postern-injector"
             for r in t["rules"]]
    return {(verb, resource, name) for rule in rules for verb in rule["verbs"] for resource in rule["resources"]
            for name in rule.get("resourceNames", [None])}


def main():
    ask("POST", f"/api/v1/namespaces/{namespace}/secrets",
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "foreign"}, "data": {}})
    thing, every = installed()
    assert bundles(thing) == {None} and len(thing["webhooks"]) == 2, thing
    ask("POST", path, thing)
    end = time.monotonic() + 20
    while None in bundles(configuration()):
        assert time.monotonic() < end, "the webhook configuration got no caBundle"
        time.sleep(0.05)
    seen = {port: [] for port in ports}
    removed = False
    end = time.monotonic() + 40
    while min(map(len, seen.values())) < 2 or len({each[-1] for each in seen.values()}) > 1 or not removed:
        assert time.monotonic() < end, f"no renewal: {[len(each) for each in seen.values()]}"
        found = bundles(configuration())
        assert len(found) == 1, found
        bundle = found.pop()
        # An API server may be a little late.
        time.sleep(0.1)
        for port, certificates in seen.items():
            certificate = served(port, bundle)
            if certificate not in certificates:
                certificates.append(certificate)
        if min(map(len, seen.values())) == 2 and not removed:
            # What somebody takes away comes back with the next renewal at the latest.
            removed = True
            thing = configuration()
            del thing["webhooks"][1]["clientConfig"]["caBundle"]
            ask("PUT", f"{path}/postern-injector", thing)
            while None in bundles(configuration()):
                assert time.monotonic() < end, "the caBundle does not come back"
                time.sleep(0.05)
    secret = ask("GET", f"/api/v1/namespaces/{namespace}/secrets/postern-injector-tls")
    assert secret["type"] == "kubernetes.io/tls", secret["type"]
    count = base64.b64decode(secret["data"]["ca.crt"]).count(b"BEGIN CERT")
    assert 2 <= count <= 4, count
    # Whoever reads the Secret can issue nothing.
    assert len(re.findall(rb"PRIVATE KEY", b"".join(map(base64.b64decode, secret["data"].values())))) == 2
    permitted = allowed(every)
    verbs = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}
    told = ask("GET", "/_mock")
    for request, agent in zip(told["requests"], told["agents"], strict=True):
        if not agent.startswith("postern-injector/"):
            continue
        match = re.fullmatch(r"(\w+) .*/(secrets|mutatingwebhookconfigurations)(?:/([^/?]+))?", request)
        asked = (verbs[match[1]], match[2], match[3])
        assert asked in permitted, f"{asked} is not among {permitted}"
    print(*(len(each) for each in seen.values()))


main()
