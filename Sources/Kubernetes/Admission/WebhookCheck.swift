public import Settings

/// Checks the manifests of the webhook itself.
public enum WebhookCheck {
    /// What is wrong in the MutatingWebhookConfigurations of a text; other objects are passed over.
    ///
    /// - Returns: also how many webhooks were checked.
    public static func flaws(
        in text: [UInt8], file: String
    ) throws(SettingsFlaw) -> (webhooks: Int, flaws: [SettingsFlaw]) {
        let manifest = try Manifest(text, file: file)
        var (count, flaws): (Int, [SettingsFlaw]) = (0, [])
        for document in manifest.documents {
            let root = Cursor(document, in: manifest.source)
            guard try root.text("kind") == "MutatingWebhookConfiguration" else { continue }
            if try root.text("apiVersion") != "admissionregistration.k8s.io/v1" {
                flaws.append(root.flaw("expected `apiVersion`: admissionregistration.k8s.io/v1"))
            }
            guard let list = try root.child("webhooks"), let items = list.node.items, !items.isEmpty else {
                flaws.append(root.flaw("it has no `webhooks`"))
                continue
            }
            for index in items.indices {
                count += 1
                try check(list.item(index), &flaws)
            }
        }
        return (count, flaws)
    }

    private static func check(_ webhook: Cursor, _ flaws: inout [SettingsFlaw]) throws(SettingsFlaw) {
        for (key, allowed, why) in [
            ("sideEffects", ["None"], "reviews have none, and dry runs are refused otherwise"),
            ("failurePolicy", ["Fail", "Ignore"], "Fail where no pod may be without the proxy"),
            ("reinvocationPolicy", ["", "IfNeeded", "Never"], "IfNeeded"),
        ] where !allowed.contains(try webhook.text(key)) {
            flaws.append(webhook.flaw("expected \(quoted(key)): \(allowed.last ?? ""): \(why)"))
        }
        if try webhook.text("failurePolicy") == "Ignore" {
            flaws.append(webhook.warning("failurePolicy Ignore: pods are created without the proxy while it is down"))
        }
        let versions = try webhook.child("admissionReviewVersions")?.node.items?.compactMap(\.text) ?? []
        if !versions.contains("v1") { flaws.append(webhook.flaw("expected `admissionReviewVersions`: [v1]")) }
        if let timeout = try webhook.child("timeoutSeconds") {
            let seconds = timeout.node.text.flatMap { Int($0) } ?? 0
            if !(1...30).contains(seconds) { flaws.append(timeout.flaw("expected 1 to 30 seconds")) }
        }
        try checkClient(webhook, &flaws)
        try checkRules(webhook, &flaws)
        // A webhook that must answer before its own pods are created never starts.
        let selectors = ["namespaceSelector", "objectSelector"].filter { name in
            let selector = webhook.node.value(name)
            return ["matchLabels", "matchExpressions"].contains { selector?.value($0)?.isEmpty == false }
        }
        if !selectors.contains("namespaceSelector") {
            flaws.append(
                webhook.flaw(
                    "expected a `namespaceSelector`: without one it blocks its own pods, and those of kube-system"))
        }
    }

    private static func checkClient(_ webhook: Cursor, _ flaws: inout [SettingsFlaw]) throws(SettingsFlaw) {
        guard let client = try webhook.child("clientConfig") else {
            flaws.append(webhook.flaw("expected `clientConfig`"))
            return
        }
        guard let service = try client.child("service") else {
            if try client.child("url") == nil { flaws.append(client.flaw("expected `service` or `url`")) }
            return
        }
        for key in ["name", "namespace"] where try service.text(key).isEmpty {
            flaws.append(service.flaw("expected \(quoted(key))"))
        }
        if try service.text("path") != "/inject" { flaws.append(service.flaw("expected `path`: /inject")) }
        if try client.text("caBundle").isEmpty {
            flaws.append(
                client.warning(
                    "there is no `caBundle`: something must write it, such as the injector with --self-managed, or cert-manager's injector"
                ))
        }
    }

    private static func checkRules(_ webhook: Cursor, _ flaws: inout [SettingsFlaw]) throws(SettingsFlaw) {
        var found: Set<String> = []
        for rule in try webhook.child("rules")?.node.items ?? [] {
            func texts(_ key: String) -> [String] { rule.value(key)?.items?.compactMap(\.text) ?? [] }
            guard texts("apiGroups").contains("") || texts("apiGroups").contains("*") else { continue }
            for operation in texts("operations") {
                for resource in texts("resources") { found.insert("\(operation) \(resource)") }
            }
        }
        for wanted in ["CREATE pods", "UPDATE pods/ephemeralcontainers"] where !found.contains(wanted) {
            flaws.append(webhook.flaw("expected a rule for \(wanted) of the core group (apiGroups: [\"\"])"))
        }
    }
}
