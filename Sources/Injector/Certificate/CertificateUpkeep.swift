import Authority
package import KubernetesAPI
import System

/// How the injector makes its certificate itself.
package struct SelfManagement: Sendable {
    package var client: APIClient
    /// Where the replicas share it.
    package var secretName: String
    /// The MutatingWebhookConfiguration whose `caBundle` is kept.
    package var webhookName: String
    package var lifetimeSeconds: Int64
    /// Of clients that may send reviews, PEM; nil: they need no certificate.
    package var clientAuthorities: String?

    package init(
        client: APIClient, secretName: String, webhookName: String, lifetimeSeconds: Int64, clientAuthorities: String?
    ) {
        self.client = client
        self.secretName = secretName
        self.webhookName = webhookName
        self.lifetimeSeconds = lifetimeSeconds
        self.clientAuthorities = clientAuthorities
    }
}

/// Looks after the certificate that replicas share: makes it, renews it, and has the API server trust it before it is
/// served. Any replica does it: the API server takes the first one's, and the others read that. Blocks.
struct CertificateUpkeep: Sendable {
    private let management: SelfManagement
    private let hosts: [String]
    private let secret: ObjectPath
    private let webhook: ObjectPath

    init(_ management: SelfManagement, hosts: [String]) {
        self.management = management
        self.hosts = hosts
        secret = ObjectPath(.secrets, namespace: management.client.server.namespace, name: management.secretName)
        webhook = ObjectPath(.mutatingWebhooks, name: management.webhookName)
    }

    struct Outcome: Sendable {
        /// What to serve; nil: what is served already.
        var reading: CertificateReading?
        /// Until the next pass.
        var waitMilliseconds: Int
        /// Whether there is a webhook configuration, without which nobody calls.
        var isInstalled: Bool
    }

    /// - Parameter served: what is served now; nil before the first.
    func pass(served: CertificateReading?) throws(CertificateFlaw) -> Outcome {
        let clients = try management.clientAuthorities.map { path throws(CertificateFlaw) in
            try CertificateReading.authorities(path)
        }
        let configuration = try readConfiguration()
        let known = configuration.map { WebhookBundle.authorities(of: $0, now: WallClock.seconds()) } ?? []
        let shared = try shared(known)
        if let configuration { try publish(shared.bundle, in: configuration) }
        let isInstalled = configuration != nil
        let now = WallClock.seconds()
        let fresh = CertificateReading(shared.serving, clientAuthorities: clients ?? [])
        // Where there are several API servers, some learn a little later than others whom to trust.
        let servesFrom = shared.issuedAt + min(Self.spreadSeconds, max(1, management.lifetimeSeconds / 20))
        if let served, !served.certificate.isSame(as: shared.serving), now < servesFrom {
            return Outcome(
                reading: nil, waitMilliseconds: Int(servesFrom - now) * 1_000, isInstalled: isInstalled)
        }
        let wait = min(Self.pauseSeconds, max(1, shared.renewsAt - now))
        return Outcome(
            reading: served.map { $0.isSame(as: fresh) } == true ? nil : fresh,
            waitMilliseconds: isInstalled ? Int(wait) * 1_000 : Self.uninstalledMilliseconds, isInstalled: isInstalled)
    }

    /// What is in the Secret, which is made or renewed first if that is due.
    ///
    /// - Parameter known: the authorities, DER, that the API server trusts now: replicas may serve what they signed,
    ///   also if the Secret is gone.
    private func shared(_ known: [[UInt8]]) throws(CertificateFlaw) -> SharedCertificate {
        for _ in 0..<Self.attempts {
            let now = WallClock.seconds()
            guard let object = try readSecret() else {
                try write(nil, keeping: known, now: now)
                continue
            }
            switch SharedCertificate.state(of: object, hosts: hosts, now: now) {
            case .foreign:
                throw CertificateFlaw(
                    .secret,
                    "\(name) is not the injector's: delete it, name another by --certificate-secret, or give it the "
                        + "label \(SharedCertificate.label)=\(SharedCertificate.owner)")
            case .fit(let shared, let authorities):
                guard now >= shared.renewsAt else { return shared }
                try write(object, keeping: authorities, now: now)
            case .unfit(_, let authorities):
                try write(object, keeping: authorities + known.filter { !authorities.contains($0) }, now: now)
            }
        }
        throw CertificateFlaw(.secret, "\(name) is changed by somebody else again and again")
    }

    private func readSecret() throws(CertificateFlaw) -> JSONValue? {
        do throws(APIFault) {
            return try management.client.get(secret)
        } catch {
            if error.isNotFound { return nil }
            throw CertificateFlaw(.secret, "\(name) cannot be read: \(error)")
        }
    }

    /// Writes a new certificate, unless another replica was faster.
    private func write(_ old: JSONValue?, keeping authorities: [[UInt8]], now: Int64) throws(CertificateFlaw) {
        let object: JSONValue
        do throws(PKIFault) {
            object = try SharedCertificate.secret(
                named: secret, hosts: hosts, lifetimeSeconds: management.lifetimeSeconds, now: now,
                keeping: authorities,
                replacing: old)
        } catch {
            throw CertificateFlaw(.certificate, "cannot be made: \(error)")
        }
        do throws(APIFault) {
            if old == nil {
                try management.client.create(object, in: ObjectPath(.secrets, namespace: secret.namespace))
            } else {
                try management.client.update(object, at: secret)
            }
        } catch {
            if error.isConflict { return }
            throw CertificateFlaw(.secret, "\(name) cannot be written: \(error)")
        }
    }

    /// Nil if there is none.
    private func readConfiguration() throws(CertificateFlaw) -> JSONValue? {
        do throws(APIFault) {
            return try management.client.get(webhook)
        } catch {
            if error.isNotFound { return nil }
            throw CertificateFlaw(.webhook, "\(management.webhookName) cannot be read: \(error)")
        }
    }

    /// Has the API server trust these authorities.
    private func publish(_ bundle: String, in configuration: JSONValue) throws(CertificateFlaw) {
        guard let patch = WebhookBundle.patch(configuration, bundle: bundle) else { return }
        do throws(APIFault) {
            try management.client.patch(webhook, .json, patch)
        } catch {
            throw CertificateFlaw(.webhook, "\(management.webhookName) cannot be given its caBundle: \(error)")
        }
    }

    private var name: String { "\(secret.namespace ?? "")/\(management.secretName)" }

    private static let attempts = 4
    private static let pauseSeconds: Int64 = 30
    private static let spreadSeconds: Int64 = 10
    private static let uninstalledMilliseconds = 3_000
}
