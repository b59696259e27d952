"""Sends AdmissionReviews as kube-apiserver writes them to `postern inject --review`, and applies the patches.

admission_check.py POSTERN FOLDER VERSION   for the pods of each NAME.before in FOLDER; prints counts, or what is wrong
"""

import base64
import copy
import json
import pathlib
import subprocess
import sys
import uuid

import jsonpatch
import kubernetes_validate

import manifest_check

ODD = {"emoji": "\U0001f6aa", "breaks": "a\u2028b\u0085c\u2029d\ufeffe", "delete": "\x7f\x9f", "quotes": "\"'\\\\/</script>"}


def review(pod, operation="CREATE", **more):
    request = {
        "uid": str(uuid.uuid4()),
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
        "requestResource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "shop",
        "operation": operation,
        "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": ["a"]},
        "object": pod,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl"},
    }
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request | more}


def ask(postern, question, ascii=False):
    body = json.dumps(question, ensure_ascii=ascii, separators=(",", ":")).encode()
    if callable(postern):
        answer = json.loads(postern(body))
    else:
        result = subprocess.run([postern, "inject", "--review", "-"], input=body, capture_output=True, check=True)
        answer = json.loads(result.stdout)
    assert (answer["kind"], answer["apiVersion"]) == ("AdmissionReview", "admission.k8s.io/v1")
    response = answer["response"]
    assert response["uid"] == question["request"]["uid"]
    return response


def patched(pod, response):
    assert response["patchType"] == "JSONPatch" and response["allowed"] is True
    patch = jsonpatch.JsonPatch.from_string(base64.b64decode(response["patch"], validate=True).decode())
    return patch.apply(pod)


def as_created(template, number):
    """What a controller creates from a template."""
    pod = {"kind": "Pod", "apiVersion": "v1"} | copy.deepcopy(template)
    metadata = pod["metadata"] = dict(pod.get("metadata") or {})
    metadata.pop("name", None)
    metadata["generateName"] = "a-"
    metadata["creationTimestamp"] = None
    annotations = metadata["annotations"] = dict(metadata.get("annotations") or {})
    if number % 3 == 0:
        del metadata["annotations"]
    elif number % 3 == 1:
        annotations |= ODD
    # Nothing is null in what the server sends, apart from a few fields.
    pod["spec"] = {key: value for key, value in pod["spec"].items() if value is not None}
    if number % 4 == 0:
        pod["spec"]["unheardOf"] = {"a": [1.5, True, None, "\U0001f6aa"]}
    return pod


def main(postern, folder, version):
    patches = validated = skipped = 0
    for path in sorted(pathlib.Path(folder).glob("*.before")):
        for thing in manifest_check.objects(manifest_check.load(path)):
            template = manifest_check.pod(thing)
            if template is None:
                continue
            for number in range(4):
                pod = as_created(template, number)
                response = ask(postern, review(pod, dryRun=number == 2))
                if "patch" not in response:
                    assert response["allowed"] is True, response
                    skipped += 1
                    continue
                after = patched(pod, response)
                if number and manifest_check.is_valid(pod, "1.37"):
                    kubernetes_validate.validate(after, "1.37", strict=True)
                    validated += 1
                # A second review of the pod, as after a reinvocation, changes nothing.
                assert "patch" not in ask(postern, review(after))
                assert manifest_check.take_out(after, copy.deepcopy(pod), is_first=False) == version
                assert after == pod, (path.name, after, pod)
                patches += 1
    special(postern)
    print(f"patches {patches} validated {validated} skipped {skipped}")


def special(postern):
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "a"}]}}
    for operation in ["UPDATE", "DELETE", "CONNECT"]:
        question = review(pod if operation == "UPDATE" else None, operation, oldObject=pod)
        assert ask(postern, question)["allowed"] is True and "patch" not in ask(postern, question)
    job = review({"kind": "Job", "apiVersion": "batch/v1"}, kind={"group": "batch", "version": "v1", "kind": "Job"})
    assert "patch" not in ask(postern, job)
    refused = copy.deepcopy(pod)
    refused["spec"]["securityContext"] = {"runAsUser": 1337}
    response = ask(postern, review(refused))
    assert response["allowed"] is False and "1337" in response["status"]["message"], response
    assert response["status"]["code"] == 422
    # A debugger that would pass the proxy by.
    injected = patched(pod, ask(postern, review(pod)))
    for user, allowed in [(1337, False), (1000, True)]:
        debugged = copy.deepcopy(injected)
        debugged["spec"]["ephemeralContainers"] = [{"name": "d", "securityContext": {"runAsUser": user}}]
        question = review(debugged, "UPDATE", oldObject=injected, subResource="ephemeralcontainers")
        assert ask(postern, question)["allowed"] is allowed
    # Of one with privileges it is told.
    debugged["spec"]["ephemeralContainers"] = [{"name": "d", "securityContext": {"privileged": True}}]
    response = ask(postern, review(debugged, "UPDATE", oldObject=injected, subResource="ephemeralcontainers"))
    assert response["allowed"] is True and "`privileged: true`" in response["warnings"][0], response
    reinvoked(postern, pod)
    # Surrogates, which YAML does not have: in pairs they are characters, and one alone is none.
    assert "patch" in ask(postern, review(pod | {"metadata": {"generateName": "a-", "annotations": ODD}}), ascii=True)
    if not callable(postern):
        lone = json.dumps(review(pod)).replace('"name": "a"', '"name": "\\ud83d"').encode()
        result = subprocess.run([postern, "inject", "--review", "-"], input=lone, capture_output=True)
        assert result.returncode == 2, result
    # An anonymous pod of ASCII alone, as other clients write JSON.
    assert "patch" in ask(postern, review(pod | {"metadata": {"generateName": "\u00e9\u2028-"}}), ascii=True)


def reinvoked(postern, pod):
    """Containers that other webhooks add after ours: asked again, it rewrites their probes, and those alone."""
    pod = copy.deepcopy(pod)
    probed = {"name": "b", "image": "b", "livenessProbe": {"tcpSocket": {"port": 7000}, "periodSeconds": 7}}
    for first in [None, {"readinessProbe": {"httpGet": {"path": "/r", "port": 80}}}]:
        pod["spec"]["containers"] = [{"name": "a"} | (first or {})]
        injected = patched(pod, ask(postern, review(pod)))
        more = copy.deepcopy(injected)
        more["spec"]["containers"].append(copy.deepcopy(probed))
        # Another webhook has put the first one's probe back as it was.
        more["spec"]["containers"][0] = copy.deepcopy(pod["spec"]["containers"][0])
        after = patched(more, ask(postern, review(more)))
        assert "patch" not in ask(postern, review(after))
        whole = copy.deepcopy(pod)
        whole["spec"]["containers"].append(copy.deepcopy(probed))
        assert after["spec"]["containers"] == patched(whole, ask(postern, review(whole)))["spec"]["containers"]
        assert after["spec"]["containers"][1]["livenessProbe"]["httpGet"]["path"] == "/app-health/b/livez"
        proxy = next(container for container in after["spec"]["initContainers"] if container["name"] == "postern-proxy")
        requests = json.loads({one["name"]: one.get("value") for one in proxy["env"]}["POSTERN_APP_PROBES"])
        assert requests["/app-health/b/livez"] == {"tcpSocket": {"port": 7000}}, requests
        assert len(requests) == (2 if first else 1)
        if not callable(postern):
            command = [postern, "inject", "--uninject", "-"]
            removed = subprocess.run(command, input=json.dumps(after).encode(), capture_output=True)
            assert removed.returncode == 0 and json.loads(removed.stdout) == whole, removed


if __name__ == "__main__":
    main(*sys.argv[1:])
