"""Sends one review again and again over kept TLS connections: see `scripts/bench-injector`, which calls this."""

import json
import os
import pathlib
import socket
import ssl
import sys
import threading
import time

HOST = "postern-injector.postern-system.svc"


def container(name, port):
    probe = {"httpGet": {"path": "/healthz", "port": port, "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    return {
        "name": name,
        "image": f"registry.example.org/{name}:1.4.2",
        "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}],
        "env": [{"name": f"SETTING_{i}", "value": f"value {i}"} for i in range(12)]
        + [{"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "volumeMounts": [
            {"name": "settings", "mountPath": "/etc/app"},
            {"name": "kube-api-access-x7x2k", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
        ],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True},
    }


def review():
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": "orders-7d9c5b6f8d-",
            "creationTimestamp": None,
            "labels": {"app": "orders", "pod-template-hash": "7d9c5b6f8d"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "orders-7d9c5b6f8d", "uid": "0d6d8b0c-61a9-4d0e-8f8a-2ad7b2ea5d1c", "controller": True, "blockOwnerDeletion": True}],
            "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}}}],
        },
        "spec": {
            "volumes": [{"name": "settings", "configMap": {"name": "orders", "defaultMode": 420}}, {"name": "kube-api-access-x7x2k", "projected": {"sources": sources, "defaultMode": 420}}],
            "containers": [container("orders", 8080), container("metrics", 9090)],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "orders",
            "serviceAccount": "orders",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "tolerations": [{"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300} for key in ["not-ready", "unreachable"]],
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {},
    }
    names = {"group": "", "version": "v1"}
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": names | {"kind": "Pod"},
        "resource": names | {"resource": "pods"},
        "requestKind": names | {"kind": "Pod"},
        "requestResource": names | {"resource": "pods"},
        "namespace": "shop",
        "operation": "CREATE",
        "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": ["system:serviceaccounts", "system:authenticated"]},
        "object": pod,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    review = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    return json.dumps(review, separators=(",", ":")).encode()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(port, tls, request, end, times):
    with tls.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=HOST) as connection:
        while time.monotonic() < end:
            start = time.monotonic()
            connection.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65536)
            head, body = answer.split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 200 "), head
            left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(body)
            while left > 0:
                left -= len(connection.recv(65536))
            times.append(time.monotonic() - start)


def main(port, authority, pid, seconds, connections):
    tls = ssl.create_default_context(cafile=authority)
    body = review()
    head = f"POST /inject?timeout=10s HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    times, start, cpu = [], time.monotonic(), cpu_seconds(pid)
    threads = [threading.Thread(target=send, args=(int(port), tls, request, start + float(seconds), times)) for _ in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed, used = time.monotonic() - start, cpu_seconds(pid) - cpu
    times.sort()
    print(
        f"{len(times) / elapsed:.0f} reviews/s of {len(body)} bytes on {connections} connections; "
        f"{used / len(times) * 1e6:.0f} us of CPU each, {len(times) / used:.0f} per CPU second; "
        f"p50 {times[len(times) // 2] * 1e3:.1f} ms, p99 {times[len(times) * 99 // 100] * 1e3:.1f} ms"
    )


main(*sys.argv[1:])
