import Authority
import Crypto
import FoundationEssentials
import Identity
import KubernetesAPI

/// A certificate that the injector makes for itself, with the authorities by which the API server verifies it, as they
/// are in the Secret that all replicas read. Pure.
///
/// Each certificate has an authority of its own, whose private key is dropped at once: whoever reads the Secret can be
/// the webhook, and can issue nothing. The authorities of earlier certificates stay until they expire, because other
/// replicas may serve those still.
struct SharedCertificate: Sendable {
    let serving: ServingCertificate
    /// PEM, base64: as `caBundle` has it.
    let bundle: String

    /// What is in a Secret.
    enum State: Sendable {
        /// Somebody else's.
        case foreign
        /// Nothing that can be served: why, and the authorities, DER, that are trusted so far.
        case unfit(String, authorities: [[UInt8]])
        case fit(SharedCertificate, authorities: [[UInt8]])
    }

    /// - Parameters:
    ///   - hosts: the names by which the API server calls the webhook.
    ///   - now: Unix seconds.
    static func state(of secret: JSONValue, hosts: [String], now: Int64) -> State {
        guard secret["metadata"]?["labels"]?[label]?.text == owner else { return .foreign }
        let bundle = secret["data"]?["ca.crt"]?.text ?? ""
        let authorities = valid(bytes(bundle), now: now)
        guard let certificate = bytes(secret["data"]?["tls.crt"]?.text),
            var key = bytes(secret["data"]?["tls.key"]?.text)
        else { return .unfit("there is none", authorities: authorities) }
        do throws(CertificateFlaw) {
            let serving = try ServingCertificate(certificate: certificate, key: &key, hosts: hosts, now: now)
            guard isIssued(serving, by: authorities, now: now) else {
                return .unfit("its authority is not in ca.crt", authorities: authorities)
            }
            return .fit(SharedCertificate(serving: serving, bundle: bundle), authorities: authorities)
        } catch {
            return .unfit("\(error)", authorities: authorities)
        }
    }

    /// Unix seconds from which on it is to be replaced: a third of its time is left then.
    var renewsAt: Int64 { serving.notAfter - (serving.notAfter - issuedAt) / 3 }

    /// Unix seconds.
    var issuedAt: Int64 { serving.notBefore + Self.skewSeconds }

    /// A Secret with a new certificate, in place of `old` if there is one.
    ///
    /// - Parameter keeping: the authorities, DER, to be trusted as well.
    static func secret(
        named path: ObjectPath, hosts: [String], lifetimeSeconds: Int64, now: Int64, keeping: [[UInt8]],
        replacing old: JSONValue?
    ) throws(PKIFault) -> JSONValue {
        let validity = Validity(notBefore: now - skewSeconds, notAfter: now + lifetimeSeconds)
        let authority = try CertificateAuthority(
            trustDomain: "",
            request: AuthorityRequest(
                validity: validity, pathLength: 0, subjectAltNames: [], commonName: "\(owner) \(now)"))
        var request = LeafRequest(subjectAltNames: hosts.map { .dns($0) }, validity: validity)
        request.commonName = owner
        request.extendedKeyUsage = [.serverAuth]
        let issued = try authority.issue(request)
        let authorities = [authority.certificateDER] + keeping.prefix(authoritiesAtMost - 1)
        var secret =
            old ?? [
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
                "metadata": [
                    "name": .text(path.name ?? ""), "namespace": .text(path.namespace ?? ""),
                    "labels": [label: .text(owner), "app.kubernetes.io/part-of": "postern"],
                ],
            ]
        secret["data"] = [
            "tls.crt": text(issued.chainPEM), "tls.key": text(issued.privateKeyPEM),
            "ca.crt": text(authorities.map { PEMBlock.encode("CERTIFICATE", $0) }.joined()),
        ]
        return secret
    }

    private static func isIssued(_ serving: ServingCertificate, by authorities: [[UInt8]], now: Int64) -> Bool {
        guard let stack = try? CertificateStack(parsing: serving.chain),
            let anchors = try? ChainBuilder(anchors: authorities)
        else { return false }
        return (try? anchors.path(from: stack[0], through: stack, .at(now))) != nil
    }

    /// The certificates of a PEM text that have not expired, DER.
    fileprivate static func valid(_ text: [UInt8]?, now: Int64) -> [[UInt8]] {
        let all = (try? ServingCertificate.certificates(text ?? [], .certificate)) ?? []
        let valid = all.filter { der in
            (try? CertificateFields(parsing: der.span)).map { $0.notAfter >= now } ?? false
        }
        return Array(valid.prefix(authoritiesAtMost))
    }

    fileprivate static func bytes(_ base64: String?) -> [UInt8]? {
        base64.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }

    private static func text(_ pem: String) -> JSONValue { .text(Data(pem.utf8).base64EncodedString()) }

    static let label = "app.kubernetes.io/managed-by"
    static let owner = "postern-injector"
    /// How much clocks may differ.
    private static let skewSeconds: Int64 = 300
    private static let authoritiesAtMost = 4
}

/// The webhook configuration, in which the API server reads whom to trust. Pure.
enum WebhookBundle {
    /// The authorities, DER, by which any webhook of `configuration` is verified now.
    static func authorities(of configuration: JSONValue, now: Int64) -> [[UInt8]] {
        var authorities: [[UInt8]] = []
        for webhook in configuration["webhooks"]?.list ?? [] {
            let bundle = SharedCertificate.bytes(webhook["clientConfig"]?["caBundle"]?.text)
            authorities += SharedCertificate.valid(bundle, now: now).filter { !authorities.contains($0) }
        }
        return authorities
    }

    /// A JSON patch that has each webhook of `configuration` verified by `bundle`; nil if each is.
    static func patch(_ configuration: JSONValue, bundle: String) -> JSONValue? {
        var operations: [JSONValue] = []
        for (index, webhook) in (configuration["webhooks"]?.list ?? []).enumerated() {
            guard webhook["clientConfig"]?["caBundle"]?.text != bundle else { continue }
            // Another one may have taken its place since.
            operations.append([
                "op": "test", "path": .text("/webhooks/\(index)/name"), "value": webhook["name"] ?? .null,
            ])
            operations.append([
                "op": "add", "path": .text("/webhooks/\(index)/clientConfig/caBundle"), "value": .text(bundle),
            ])
        }
        return operations.isEmpty ? nil : .list(operations)
    }
}
