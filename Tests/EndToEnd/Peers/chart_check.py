"""Compares what `postern kubernetes manifests` prints with what Helm makes of the chart, and checks the objects.

chart_check.py BINARY INJECTOR CONTROLLER FOLDER   prints counts, or what is wrong; writes to FOLDER
"""

import base64
import json
import os
import pathlib
import subprocess
import sys

import helm_python as helm
import kubernetes_validate
import yaml
from cel_expr_python import cel

VERSIONS = ["1.29", "1.31", "1.34", "1.37"]
# Of other projects: their schemas are not those of Kubernetes.
FOREIGN = {"cert-manager.io/v1", "monitoring.coreos.com/v1"}
BUNDLE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode()

CASES = [
    {},
    {"injector": {"certificate": {"source": "secret", "caBundle": BUNDLE, "secretName": "webhook"}}},
    {"injector": {"certificate": {"source": "cert-manager"}}, "serviceMonitor": {"enabled": True}},
    {"controller": {"enabled": True, "admissionPolicy": False}, "webhook": {"singlePods": True, "failurePolicy": "Ignore"}},
    {"podDisruptionBudget": {"enabled": False}, "networkPolicy": {"enabled": False}, "namespace": {"create": False}},
    {
        "proxy": {"image": "registry.example.org/postern@sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "registry"}],
        "injector": {
            "replicas": 3, "priorityClassName": "system-cluster-critical",
            "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "100m"}},
            "podAnnotations": {"prometheus.io/scrape": "true", "on": "a: b # \"c\" \\ 'd'\n\u00e9", "e": ""},
            "nodeSelector": {"kubernetes.io/os": "linux", "y": "no"},
            "tolerations": [{"key": "a", "operator": "Exists"}, {"operator": "Exists", "tolerationSeconds": 60}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "true"]}]}]}}},
        },
        "controller": {
            "enabled": True, "tolerations": [{"operator": "Exists"}], "nodeSelector": {"a": "b"}, "podAnnotations": {"c": "d"},
            "priorityClassName": "high", "affinity": {"podAntiAffinity": {}},
        },
        "webhook": {"excludedNamespaces": ["kube-system", "storage"], "timeoutSeconds": 10},
        "networkPolicy": {
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
            "apiServerPorts": [16443],
        },
        "serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"release": "prometheus", "n": "1"}},
    },
]

# Neither program takes these.
REFUSED = [
    {"injector": {"replica": 3}}, {"webhooks": {}}, {"injector": {"replicas": 0}}, {"injector": {"replicas": "2"}},
    {"injector": {"certificate": {"source": "file"}}}, {"injector": {"certificate": {"source": "secret"}}},
    {"webhook": {"failurePolicy": "fail"}}, {"webhook": {"timeoutSeconds": 31}}, {"controller": {"enabled": "true"}},
    {"webhook": {"excludedNamespaces": "kube-system"}}, {"proxy": {"image": ""}}, {"proxy": {"image": 5}},
    {"networkPolicy": {"apiServerPorts": [0]}}, {"imagePullSecrets": ["a"]}, {"serviceMonitor": True},
]

# All that any role may have, by API group and resource.
ALLOWED = {
    ("", "secrets"): {"create", "get", "update"},
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): {"get", "patch"},
    ("postern.dev", "posternpolicies"): {"list", "watch"},
    ("postern.dev", "posternpolicies/status"): {"patch"},
    ("", "pods"): {"list", "watch"},
    ("", "configmaps"): {"list", "watch", "create", "patch", "delete"},
}
# May be had only by the names of objects, in whatever namespace.
NAMED = {("", "secrets"): {"get", "update"}, ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): {"get", "patch"}}
CLUSTER_WIDE = {
    "Namespace", "ClusterRole", "ClusterRoleBinding", "MutatingWebhookConfiguration", "CustomResourceDefinition",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
}


class Binary:
    def __init__(self, path, folder):
        self.path, self.folder = path, folder
        # No cluster, whatever this machine has.
        self.environment = os.environ | {"KUBECONFIG": "/dev/null", "HOME": str(folder)}
        self.kubectl_path = str(pathlib.Path(sys.executable).parent / "kubectl")

    def run(self, *words, code=0, text=None):
        result = subprocess.run([self.path, *words], capture_output=True, text=True, input=text, timeout=60)
        assert result.returncode == code, (words, result.returncode, result.stderr)
        return result.stdout if code == 0 else result.stderr

    def manifests(self, values, namespace, code=0):
        path = self.folder / "values.yaml"
        path.write_text(yaml.safe_dump(values, allow_unicode=True))
        return self.run("kubernetes", "manifests", "--namespace", namespace, "--values", str(path), code=code)

    def kubectl(self, *words):
        result = subprocess.run(
            [self.kubectl_path, *words], capture_output=True, text=True, timeout=60, env=self.environment)
        assert result.returncode == 0, (words, result.stderr)
        return result.stdout


def load(text):
    return [document for document in yaml.safe_load_all(text) if document]


def identity(thing):
    return thing["apiVersion"], thing["kind"], thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


def by_identity(things):
    found = {identity(thing): thing for thing in things}
    assert len(found) == len(things), "an object is there twice"
    return found


def rendered(chart, folder, values, namespace):
    # The only default that differs: Helm has an option of its own for it.
    values = {"namespace": {"create": True}} | values
    files = chart.render(values, name="postern", namespace=namespace)
    things = [thing for name, text in files.items() if name.endswith(".yaml") for thing in load(text)]
    # Helm installs these with every release, whatever the values.
    if values.get("controller", {}).get("enabled") and not any(t["kind"] == "CustomResourceDefinition" for t in things):
        things += load((folder / "crds" / "posternpolicies.yaml").read_text())
    return things


def check_objects(things, namespace, values):
    every = by_identity(things)
    for thing in things:
        kind, metadata = thing["kind"], thing["metadata"]
        assert ("namespace" in metadata) == (kind not in CLUSTER_WIDE), identity(thing)
        assert metadata.get("namespace", namespace) == namespace, identity(thing)
        assert metadata["name"].startswith("postern") or kind == "CustomResourceDefinition" or kind == "Namespace"
        if thing["apiVersion"] not in FOREIGN:
            # Of 1.30: see controller.admissionPolicy.
            for version in VERSIONS[1:] if kind.startswith("ValidatingAdmission") else VERSIONS:
                kubernetes_validate.validate(thing, version, strict=True)
        checks = {
            "Deployment": check_deployment, "Service": check_selection, "PodDisruptionBudget": check_selection,
            "NetworkPolicy": check_network, "Role": check_role, "ClusterRole": check_role,
            "RoleBinding": check_binding, "ClusterRoleBinding": check_binding, "ServiceMonitor": check_monitor,
            "MutatingWebhookConfiguration": check_webhooks, "ValidatingAdmissionPolicy": check_admission,
            "CustomResourceDefinition": check_definition,
        }
        if kind in checks:
            checks[kind](thing, every)
    kinds = [thing["kind"] for thing in things]
    # What is waited for comes first; pods are refused from the webhook's configuration on.
    if "Namespace" in kinds:
        assert kinds[0] == "Namespace" and things[0]["metadata"]["name"] == namespace
        assert things[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert kinds[-1] == "MutatingWebhookConfiguration"


def deployment(every, name):
    return next(thing for key, thing in every.items() if key[1] == "Deployment" and key[3] == name)


def check_deployment(thing, every):
    spec, name = thing["spec"], thing["metadata"]["name"]
    pod = spec["template"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert pod["serviceAccountName"] == name
    account = every[("v1", "ServiceAccount", thing["metadata"]["namespace"], name)]
    assert account["automountServiceAccountToken"] is False
    # A token is there only where a role is.
    bound = {key[3] for key in every if key[1] == "ClusterRoleBinding"}
    assert pod["automountServiceAccountToken"] == (name in bound), name
    # The Pod Security Standard `restricted`, and more.
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True and context["runAsUser"] >= 1000
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    assert all("secret" in volume for volume in pod.get("volumes", []))
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context == {
            "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        ports = {port["name"] for port in container["ports"]}
        for probe, path in [("startup", "/livez"), ("readiness", "/readyz"), ("liveness", "/livez")]:
            assert container[probe + "Probe"]["httpGet"] == {"path": path, "port": "admin"}
        assert "admin" in ports
        assert {mount["name"] for mount in container.get("volumeMounts", [])} == volumes
        assert {"requests", "limits"} <= container["resources"].keys()
        assert all(isinstance(word, str) for word in container["args"])
    if name == "postern-controller":
        # Two would do the same work.
        assert spec["replicas"] == 1 and spec["strategy"] == {"type": "Recreate"}
    for constraint in pod.get("topologySpreadConstraints", []):
        assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()


def check_selection(thing, every):
    selector = thing["spec"]["selector"]
    labels = selector.get("matchLabels", selector)
    template = deployment(every, thing["metadata"]["name"])["spec"]["template"]
    assert labels.items() <= template["metadata"]["labels"].items()
    ports = {port["name"] for container in template["spec"]["containers"] for port in container["ports"]}
    for port in thing["spec"].get("ports", []):
        assert port["targetPort"] in ports


def check_network(thing, every):
    spec, name = thing["spec"], thing["metadata"]["name"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    template = deployment(every, name)["spec"]["template"]
    assert spec["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    # Nobody comes in but for reviews and metrics.
    allowed = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
    assert allowed == (["webhook", "admin"] if name == "postern-injector" else ["admin"])
    token = template["spec"]["automountServiceAccountToken"]
    ports = {(port["protocol"], port["port"]) for rule in spec["egress"] for port in rule["ports"]}
    # Who asks the API server needs it and DNS, others nothing.
    assert bool(ports) == token
    if token:
        assert {("UDP", 53), ("TCP", 53)} < ports and all(rule.get("ports") for rule in spec["egress"])


def check_role(thing, every):
    for rule in thing["rules"]:
        assert not rule.keys() - {"apiGroups", "resources", "resourceNames", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                verbs = set(rule["verbs"])
                allowed = ALLOWED.get((group, resource), set())
                # An asterisk is in no list.
                assert verbs <= allowed, (thing["metadata"]["name"], rule)
                if verbs & NAMED.get((group, resource), set()):
                    assert rule.get("resourceNames"), rule
    secrets = [rule for rule in thing["rules"] if "secrets" in rule["resources"]]
    assert not secrets or thing["kind"] == "Role"


def check_binding(thing, every):
    role, name = thing["roleRef"], thing["metadata"]["name"]
    assert role["kind"] == thing["kind"].removesuffix("Binding")
    namespace = thing["metadata"].get("namespace", "")
    assert ("rbac.authorization.k8s.io/v1", role["kind"], namespace, role["name"]) in every
    (subject,) = thing["subjects"]
    assert subject["kind"] == "ServiceAccount"
    assert ("v1", "ServiceAccount", subject["namespace"], subject["name"]) in every and subject["name"] == name


def check_admission(thing, every):
    """The controller may write its own ConfigMaps alone; nobody else is concerned."""
    account = next(key for key in every if key[1] == "ServiceAccount" and key[3] == "postern-controller")
    own = f"system:serviceaccount:{account[2]}:{account[3]}"
    spec = thing["spec"]
    assert ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "", thing["metadata"]["name"]) in every
    (rule,) = spec["matchConstraints"]["resourceRules"]
    assert rule["resources"] == ["configmaps"] and set(rule["operations"]) == {"CREATE", "UPDATE", "DELETE"}

    def allows(user, operation, name, old, new):
        def labelled(labels):
            return None if labels is None else {"metadata": {"labels": labels} if labels else {}}
        data = {
            "request": {"userInfo": {"username": user}, "operation": operation, "name": name},
            "object": labelled(new), "oldObject": labelled(old)}
        def holds(expression):
            return ADMISSION.compile(expression).eval(data=data).value() is True
        if not all(holds(condition["expression"]) for condition in spec["matchConditions"]):
            return True
        return all(holds(validation["expression"]) for validation in spec["validations"])

    label, other = {"app.kubernetes.io/managed-by": "postern-controller"}, {"app.kubernetes.io/managed-by": "Helm"}
    for operation, old, new in [("CREATE", None, label), ("UPDATE", label, label), ("DELETE", label, None)]:
        assert allows(own, operation, "orders-policies", old, new)
        assert not allows(own, operation, "coredns", old, new)
        assert allows("system:serviceaccount:other:postern-controller", operation, "coredns", old, new)
    for operation, old, new in [
        ("CREATE", None, {}), ("CREATE", None, other), ("UPDATE", other, label), ("UPDATE", label, {}),
        ("DELETE", {}, None), ("DELETE", other, None),
    ]:
        assert not allows(own, operation, "orders-policies", old, new), (operation, old, new)


ALLOW = {"name": "a", "action": "allow", "identities": ["spiffe://a/b"]}
# By the conditions of the schema: rules that the API server takes, and rules that it refuses.
RULES = [
    (ALLOW, True), (ALLOW | {"unauthenticated": False}, True), (ALLOW | {"unauthenticated": True}, False),
    ({"name": "a", "action": "allow"}, False), ({"name": "a", "action": "allow", "sources": ["::/0"]}, False),
    ({"name": "a", "action": "allow", "sources": ["::/0"], "unauthenticated": True}, True),
    ({"name": "a", "action": "allow", "unauthenticated": True}, False), ({"name": "a", "action": "deny"}, False),
    ({"name": "a", "action": "deny", "unauthenticated": False}, False), ({"name": "a", "action": "deny", "sni": ["a"]}, True),
    ({"name": "a", "action": "deny", "unauthenticated": True}, True),
    ({"name": "a", "action": "deny", "destinationPorts": [80]}, True),
]
EXPRESSIONS = [
    ({"key": "a", "operator": "In", "values": ["b"]}, True), ({"key": "a", "operator": "In"}, False),
    ({"key": "a", "operator": "NotIn", "values": []}, False), ({"key": "a", "operator": "Exists"}, True),
    ({"key": "a", "operator": "Exists", "values": []}, True), ({"key": "a", "operator": "Exists", "values": ["b"]}, False),
]


def check_definition(thing, every):
    (version,) = thing["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    expressions = spec["selector"]["properties"]["matchExpressions"]["items"]
    for schema, cases in [(spec["rules"]["items"], RULES), (expressions, EXPRESSIONS)]:
        programs = [SELF.compile(validation["rule"]) for validation in schema["x-kubernetes-validations"]]
        for case, expected in cases:
            assert all(program.eval(data={"self": case}).value() is True for program in programs) == expected, case


def check_monitor(thing, every):
    selector = thing["spec"]["selector"]["matchLabels"]
    (service,) = [
        other for key, other in every.items()
        if key[1] == "Service" and selector.items() <= other["metadata"]["labels"].items()
    ]
    (endpoint,) = thing["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]} and endpoint["path"] == "/metrics"


def selects(selector, labels):
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions", []):
        value, found = labels.get(term["key"]), term["operator"]
        if found == "In" and value not in term["values"] or found == "NotIn" and value in term["values"]:
            return False
        assert found in {"In", "NotIn"}
    return True


CEL = cel.NewEnv(variables={"object": cel.Type.DYN, "request": cel.Type.DYN})
ADMISSION = cel.NewEnv(variables={name: cel.Type.DYN for name in ("object", "oldObject", "request")})
SELF = cel.NewEnv(variables={"self": cel.Type.DYN})


def callers(configuration, namespace, pod, operation="CREATE"):
    """The failure policies of the webhooks that the API server calls for a pod."""
    labels = {"kubernetes.io/metadata.name": namespace[0]} | namespace[1]
    resource = "pods" if operation == "CREATE" else "pods/ephemeralcontainers"
    found = []
    for webhook in configuration["webhooks"]:
        conditions = [CEL.compile(condition["expression"]) for condition in webhook.get("matchConditions", [])]
        if (
            any(operation in rule["operations"] and resource in rule["resources"] for rule in webhook["rules"])
            and selects(webhook["namespaceSelector"], labels)
            and selects(webhook["objectSelector"], pod["metadata"].get("labels", {}))
            and all(
                condition.eval(data={"object": pod, "request": {"operation": operation}}).value()
                for condition in conditions)
        ):
            found.append(webhook["failurePolicy"])
    return found


def check_webhooks(thing, every):
    service = next(thing for key, thing in every.items() if key[1] == "Service" and key[3] == "postern-injector")
    args = deployment(every, "postern-injector")["spec"]["template"]["spec"]["containers"][0]["args"]
    own = service["metadata"]["namespace"]
    policy, single = thing["webhooks"][0]["failurePolicy"], len(thing["webhooks"]) > 1
    for webhook in thing["webhooks"]:
        assert webhook["sideEffects"] == "None" and webhook["reinvocationPolicy"] == "IfNeeded"
        assert webhook["admissionReviewVersions"] == ["v1"] and webhook["timeoutSeconds"] <= 30
        target = webhook["clientConfig"]["service"]
        assert (target["name"], target["namespace"]) == (service["metadata"]["name"], own)
        assert target["port"] in {port["port"] for port in service["spec"]["ports"]} and target["path"] == "/inject"
        # By this name the API server verifies the certificate.
        assert args[args.index("--host") + 1] == f"{target['name']}.{own}.svc"
        if "--self-managed" not in args:
            assert "caBundle" in webhook["clientConfig"] or "annotations" in thing["metadata"]

    def pod(labels=None, annotations=None, **spec):
        return {"metadata": {"labels": labels or {}, "annotations": annotations or {}}, "spec": spec}

    enabled, key = {"postern.dev/inject": "enabled"}, "postern.dev/inject"
    expected = [
        (("shop", enabled), pod(), [policy]),
        (("shop", enabled), {"metadata": {}, "spec": {"hostNetwork": False}}, [policy]),
        (("shop", enabled), pod(labels={key: "enabled"}, annotations={key: "enabled"}), [policy]),
        # Those that would be skipped start without an injector.
        (("shop", enabled), pod(labels={key: "disabled"}), []),
        (("shop", enabled), pod(annotations={key: "disabled"}), []),
        (("shop", enabled), pod(hostNetwork=True), []),
        # Never the cluster's own, so that a cluster that was off can start again.
        (("kube-system", enabled), pod(labels={key: "enabled"}), []),
        ((own, enabled), pod(labels={key: "enabled"}), []),
        (("other", {}), pod(), []),
        (("other", {}), pod(labels={key: "enabled"}), ["Ignore"] if single else []),
        (("other", {key: "disabled"}), pod(labels={key: "enabled"}), []),
    ]
    for namespace, thing_of, failures in expected:
        assert callers(thing, namespace, thing_of) == failures, (namespace, thing_of)
    # Debuggers of injected pods are looked at, also where the annotation came later.
    assert callers(thing, ("shop", enabled), pod(annotations={key: "disabled"}), "UPDATE") == [policy]


def check_kubectl(binary, text):
    """kubectl reads what is printed, and its types have a place for each field."""
    folder = binary.folder / "kustomize"
    folder.mkdir()
    (folder / "postern.yaml").write_text(text)
    (folder / "kustomization.yaml").write_text("resources: [postern.yaml]\nnamePrefix: ''\n")
    things = by_identity(load(text))
    assert by_identity(load(binary.kubectl("kustomize", str(folder)))) == things
    path = str(folder / "postern.yaml")
    listed = stream(binary.kubectl("label", "--local", "--filename", path, "--output=json", "checked=yes"))
    assert len(listed) == len(things), [thing["kind"] for thing in listed]
    workloads = folder / "deployments.yaml"
    workloads.write_text(yaml.safe_dump_all(thing for thing in things.values() if thing["kind"] == "Deployment"))
    deployments = stream(binary.kubectl(
        "set", "image", "--local", "--filename", str(workloads), "--output=json", "*=registry.example.org/other:1"))
    assert len(deployments) == 2
    for thing in deployments:
        original = things[identity(thing)]
        for container in thing["spec"]["template"]["spec"]["containers"]:
            assert container["image"] == "registry.example.org/other:1"
            container["image"] = original["spec"]["template"]["spec"]["containers"][0]["image"]
        assert without_nothing(thing) == without_nothing(original), identity(thing)


def stream(text):
    """JSON objects one behind the other."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        thing, end = decoder.raw_decode(text)
        found.append(thing)
        text = text[end:]
    return found


def without_nothing(value):
    """Without fields that say nothing, which kubectl writes."""
    if isinstance(value, dict):
        return {key: kept for key, item in value.items() if (kept := without_nothing(item)) not in (None, {}, "")}
    return [without_nothing(item) for item in value] if isinstance(value, list) else value


def check_injector(injector, folder, text):
    """The injector has each option that its pods are given, and finds nothing wrong with the webhook."""
    def run(*words):
        result = subprocess.run([injector, *words], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, (words, result.stderr)
        return result.stdout

    path = folder / "checked.yaml"
    path.write_text(text)
    run("check", str(path))
    check_arguments(injector, text, "postern-injector")


def check_arguments(program, text, name):
    """A program has each option that its pods are given."""
    args = deployment(by_identity(load(text)), name)["spec"]["template"]["spec"]["containers"][0]["args"]
    help_text = subprocess.run([program, "help", args[0]], capture_output=True, text=True, timeout=60, check=True).stdout
    for word in args:
        assert not word.startswith("--") or word in help_text, word


def main(path, injector, controller, folder):
    binary = Binary(path, pathlib.Path(folder))
    chart_folder = binary.folder / "chart"
    binary.run("kubernetes", "chart", str(chart_folder))
    report = helm.lint(str(chart_folder), strict=True, namespace="postern-system")
    assert not report["errors"] and all(message["severity"] < 2 for message in report["messages"]), report
    objects = 0
    with helm.Chart.load(str(chart_folder)) as chart:
        version = binary.run("--version").split()[1]
        assert chart.version == chart.metadata["appVersion"] == version, (chart.version, version)
        for number, values in enumerate(CASES):
            namespace = ["postern-system", "mesh", "123"][number % 3]
            text = binary.manifests(values, namespace)
            things = load(text)
            assert by_identity(things) == by_identity(
                rendered(chart, chart_folder, values, namespace)), values
            check_objects(things, namespace, values)
            check_injector(injector, binary.folder, text)
            objects += len(things)
        for values in REFUSED:
            complaint = binary.manifests(values, "postern-system", code=2)
            assert complaint.startswith(("error: ", str(binary.folder / "values.yaml"))), complaint
            try:
                chart.render(values, name="postern", namespace="postern-system")
            except helm.HelmError:
                continue
            raise AssertionError(f"Helm takes {values}")
        notes = chart.render({}, name="postern", namespace="mesh")["postern/templates/NOTES.txt"]
        assert "namespace mesh" in notes
    text = binary.manifests({"controller": {"enabled": True}}, "postern-system")
    check_arguments(controller, text, "postern-controller")
    check_kubectl(binary, text)
    print(f"cases {len(CASES)} objects {objects} refused {len(REFUSED)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
