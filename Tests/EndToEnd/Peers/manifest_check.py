"""Compares manifests before and after an injection, by a YAML parser and the schemas of Kubernetes.

manifest_check.py FOLDER VERSION   for each NAME.before and NAME.after in FOLDER; prints counts, or what is wrong
"""

import copy
import json
import pathlib
import sys

import kubernetes_validate
import yaml

TEMPLATES = {
    "Pod": [], "CronJob": ["spec", "jobTemplate", "spec", "template"],
    "Deployment": ["spec", "template"], "StatefulSet": ["spec", "template"], "DaemonSet": ["spec", "template"],
    "ReplicaSet": ["spec", "template"], "Job": ["spec", "template"],
}
VERSIONS = ["1.29", "1.31", "1.34", "1.37"]


class Loader(yaml.SafeLoader):
    """Dates stay texts, as in Kubernetes."""


Loader.yaml_implicit_resolvers = {
    letter: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path):
    text = path.read_bytes().decode("utf-8")
    if text.startswith("{\n\t"):  # PyYAML has no tabs.
        return [json.loads(text)]
    if text.startswith('{"'):
        json.loads(text)  # What was JSON still is.
    return list(yaml.load_all(text, Loader))


def objects(documents, inferred=None):
    for document in documents:
        if not isinstance(document, dict):
            continue
        kind = document.get("kind", "")
        if kind.endswith("List"):
            inferred = {"kind": kind[:-4], "apiVersion": document["apiVersion"]} if kind != "List" else None
            yield from objects(document["items"], inferred)
        else:
            yield document if kind or not inferred else inferred | document


def pod(thing):
    for key in TEMPLATES.get(thing.get("kind"), ["none"]):
        thing = (thing or {}).get(key)
    return thing if thing and (thing.get("spec") or {}).get("containers") else None


def take_out(after, before, is_first=True):
    """Removes what may have been added, and checks it. Leaves what must be the original."""
    spec, old = after["spec"], before["spec"]
    annotations = after["metadata"]["annotations"]
    assert list(annotations)[0] == "postern.dev/injected" or not is_first
    version = annotations.pop("postern.dev/injected")
    rules = annotations.get("postern.dev/redirection") != "none"
    names = (["postern-redirect", "postern-validate"] if rules else []) + ["postern-proxy"]
    for name in names:
        container = spec["initContainers"].pop(0)
        assert container["name"] == name, container
        check(container, name)
    environment = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
    pod_ips = {"fieldRef": {"fieldPath": "status.podIPs"}}
    for variable in container.get("env", []):
        assert variable["name"] != "POSTERN_POD_IPS" or variable["valueFrom"] == pod_ips
    assert ("POSTERN_POD_IPS" in environment) == ("POSTERN_APP_PROBES" in environment)
    put_probes_back(spec, old, json.loads(environment.get("POSTERN_APP_PROBES", "{}")))
    for name in ["postern-identity", "postern-settings", "postern-run"]:
        assert spec["volumes"].pop(0)["name"] == name
    for key in ["initContainers", "volumes"]:
        put_back(spec, old, key)
    put_back(after["metadata"], before.get("metadata") or {}, "annotations")
    put_back(after, before, "metadata")
    return version


def put_back(after, before, key):
    """What is empty now was empty, null or absent before."""
    if not after[key] and not before.get(key):
        if key in before:
            after[key] = before[key]
        else:
            del after[key]


PROBES = {"livenessProbe": "livez", "readinessProbe": "readyz", "startupProbe": "startupz"}


def put_probes_back(spec, old, requests):
    """Each probe over the network asks the proxy, which asks what the probe did."""
    for key in ["initContainers", "containers"]:
        for container, before in zip(spec.get(key) or [], old.get(key) or [], strict=True):
            for kind, end in PROBES.items():
                probe, written = container.get(kind), before.get(kind)
                path = f"/app-health/{container['name']}/{end}"
                if (probe or {}).get("httpGet", {}).get("path") != path:
                    continue
                assert probe["httpGet"] == {"path": path, "port": 15000}
                request = requests.pop(path)
                seconds = request.pop("timeoutSeconds", 1)
                assert seconds == written.get("timeoutSeconds", 1)
                (handler, fields), = request.items()
                expected = dict(written[handler])
                ports = {port.get("name"): port["containerPort"] for port in before.get("ports", [])}
                expected["port"] = ports.get(expected["port"]) or int(expected["port"])
                if handler == "httpGet":
                    expected.setdefault("path", "/")
                assert fields == expected, (fields, expected)
                container[kind] = written
    assert not requests, requests


def check(container, name):
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False
    assert context["capabilities"]["drop"] == ["ALL"] and context["seccompProfile"] == {"type": "RuntimeDefault"}
    if name == "postern-redirect":
        assert context["capabilities"]["add"] == ["NET_ADMIN", "NET_RAW"] and context["runAsUser"] == 0
        assert container["args"][:2] == ["redirect", "--apply"] and "restartPolicy" not in container
        assert all(isinstance(word, str) for word in container["args"])
    else:
        assert "add" not in context["capabilities"]
        user = 1338 if name == "postern-validate" else 1337
        assert context["runAsUser"] == user and context["runAsNonRoot"] is True
        if name == "postern-validate":
            assert container["args"] == ["validate", "--config", "/etc/postern/postern.yaml", "--user", "1337"]
            assert "restartPolicy" not in container
            return
        assert container["args"][:4] == ["run", "--config", "/etc/postern/postern.yaml", "--drain-delay"]
        assert container["restartPolicy"] == "Always"
        for probe, path in [("startup", "/readyz"), ("readiness", "/readyz"), ("liveness", "/livez")]:
            assert container[probe + "Probe"]["httpGet"] == {"path": path, "port": 15000}


def is_valid(thing, version):
    try:
        kubernetes_validate.validate(thing, version, strict=True)
        return True
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError):
        return False


def versions(thing):
    """Those that know what the pod has."""
    volumes = pod(thing)["spec"]["volumes"]
    is_new = any("projected" in volume and volume["name"] == "postern-identity" for volume in volumes)
    return [version for version in VERSIONS if not is_new or int(version.split(".")[1]) >= 34]


def ordered(value):
    return json.dumps(value)


def main(folder, version):
    injected = validated = 0
    for path in sorted(pathlib.Path(folder).glob("*.before")):
        before, after = load(path), load(path.with_suffix(".after"))
        pairs = list(zip(objects(before), objects(after), strict=True))
        for old, new in pairs:
            if "postern.dev/injected" not in (((pod(new) or {}).get("metadata") or {}).get("annotations") or {}):
                continue
            if is_valid(old, VERSIONS[-1]):
                for number in versions(new):
                    kubernetes_validate.validate(new, number, strict=True)
                validated += 1
            assert take_out(pod(new), pod(old)) == version
            injected += 1
        assert ordered(after) == ordered(before), (path.name, before, after)
    print(f"injected {injected} validated {validated}")


if __name__ == "__main__":
    main(*sys.argv[1:])
