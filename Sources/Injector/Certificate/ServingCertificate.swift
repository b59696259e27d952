package import Crypto
import Identity
import TLS

/// The certificate that the webhook serves, with its private key: parsed, checked, and fit to be served.
package struct ServingCertificate: Sendable {
    /// DER, leaf first.
    package let chain: [[UInt8]]
    package let key: PrivateKeyBytes
    /// Unix seconds.
    package let notBefore: Int64
    /// Unix seconds; the earliest of the chain.
    package let notAfter: Int64

    /// - Parameters:
    ///   - certificate: PEM, leaf first.
    ///   - key: PEM, unencrypted; overwritten with zeros.
    ///   - hosts: the names by which the API server calls the webhook; the certificate must be for each.
    ///   - now: Unix seconds.
    package init(
        certificate: [UInt8], key: inout [UInt8], hosts: [String], now: Int64
    ) throws(CertificateFlaw) {
        defer { for index in key.indices { key[index] = 0 } }
        let chain = try Self.certificates(certificate, .certificate)
        let stack = try CertificateFlaw.translating(.certificate) { () throws(CryptoFault) in
            try CertificateStack(parsing: chain)
        }
        var (notBefore, notAfter) = (Int64.min, Int64.max)
        for der in chain {
            guard let fields = try? CertificateFields(parsing: der.span) else {
                throw CertificateFlaw(.certificate, "is malformed")
            }
            (notBefore, notAfter) = (max(notBefore, fields.notBefore), min(notAfter, fields.notAfter))
        }
        let bytes = try Self.privateKey(&key)
        let parsed = try CertificateFlaw.translating(.privateKey) { () throws(CryptoFault) in try bytes.makeKey() }
        guard parsed.matches(stack[0]) else {
            throw CertificateFlaw(.privateKey, "is not that of the certificate")
        }
        if let problem = parsed.problem { throw CertificateFlaw(.privateKey, problem) }
        guard notAfter >= now else { throw CertificateFlaw(.certificate, "has expired") }
        guard notBefore <= now else { throw CertificateFlaw(.certificate, "is not valid yet") }
        if let host = hosts.first(where: { !stack[0].covers(host: $0) }) {
            let names = stack[0].alternativeNamesText ?? "none"
            throw CertificateFlaw(
                .certificate,
                "is not for \(host), by which the API server calls the webhook, but for \(names): issue it for that "
                    + "name, or name the webhook's service with --host")
        }
        self.chain = chain
        self.key = bytes
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    package func isSame(as other: ServingCertificate) -> Bool { chain == other.chain && key == other.key }

    /// What a server with it needs; `clientAuthorities` are DER.
    func context(clientAuthorities: [[UInt8]]) throws(CertificateFlaw) -> WebServerContext {
        let authorities = try CertificateFlaw.translating(.clientAuthorities) { () throws(CryptoFault) in
            clientAuthorities.isEmpty ? nil : try CertificateStack(parsing: clientAuthorities)
        }
        do throws(TLSFault) {
            let chain = try CertificateFlaw.stack(chain)
            return try WebServerContext(chain: chain, key: try CertificateFlaw.key(key), clientAuthorities: authorities)
        } catch {
            throw CertificateFlaw(.certificate, "is refused by OpenSSL: \(error)")
        }
    }

    /// The certificates of a PEM text, DER.
    static func certificates(_ text: [UInt8], _ part: CertificateFlaw.Part) throws(CertificateFlaw) -> [[UInt8]] {
        let found = try blocks(text, part).filter { $0.label == "CERTIFICATE" }.map(\.bytes)
        guard !found.isEmpty else { throw CertificateFlaw(part, "has no certificate in it") }
        guard found.count <= certificatesAtMost else {
            throw CertificateFlaw(part, "has more than \(certificatesAtMost) certificates in it")
        }
        return found
    }

    private static func privateKey(_ text: inout [UInt8]) throws(CertificateFlaw) -> PrivateKeyBytes {
        var blocks = try blocks(text, .privateKey)
        let keys = blocks.indices.filter { blocks[$0].label.hasSuffix("PRIVATE KEY") }
        guard keys.count == 1, let index = keys.first else {
            throw CertificateFlaw(.privateKey, keys.isEmpty ? "has no private key in it" : "has several keys in it")
        }
        guard !blocks[index].hasEncryptionHeader, blocks[index].label != "ENCRYPTED PRIVATE KEY" else {
            throw CertificateFlaw(.privateKey, "is encrypted: decrypt it, and protect it with permissions")
        }
        return PrivateKeyBytes(consuming: &blocks[index].bytes)
    }

    private static func blocks(
        _ text: [UInt8], _ part: CertificateFlaw.Part
    ) throws(CertificateFlaw) -> [PEMBlock] {
        do throws(PEMFlaw) {
            return try PEMBlock.parse(text)
        } catch {
            throw CertificateFlaw(part, "is not PEM: \(error)")
        }
    }

    private static let certificatesAtMost = 64
}

/// Why a certificate is not served.
package struct CertificateFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Part: String, Sendable {
        case certificate = "the certificate"
        case privateKey = "the private key"
        case clientAuthorities = "the file of client authorities"
        case secret = "the Secret"
        case webhook = "the MutatingWebhookConfiguration"
    }

    package let part: Part
    /// Continues a sentence that begins with the part.
    package let message: String
    /// Where it was read, if that is a file.
    package var path: String?

    package init(_ part: Part, _ message: String, path: String? = nil) {
        self.part = part
        self.message = message
        self.path = path
    }

    package var description: String {
        "\(part.rawValue)\(path.map { " (\($0))" } ?? "") \(message)"
    }

    static func translating<Value: ~Copyable>(
        _ part: Part, _ body: () throws(CryptoFault) -> Value
    ) throws(CertificateFlaw) -> Value {
        do throws(CryptoFault) { return try body() } catch { throw CertificateFlaw(part, "cannot be used: \(error)") }
    }

    fileprivate static func stack(_ chain: [[UInt8]]) throws(TLSFault) -> CertificateStack {
        do throws(CryptoFault) { return try CertificateStack(parsing: chain) } catch { throw .crypto(error) }
    }

    fileprivate static func key(_ bytes: PrivateKeyBytes) throws(TLSFault) -> PrivateKey {
        do throws(CryptoFault) { return try bytes.makeKey() } catch { throw .crypto(error) }
    }
}
