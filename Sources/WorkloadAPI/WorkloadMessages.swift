public import Identity

/// Why a message of the Workload API is discarded (SPIFFE Workload API 5).
public enum WorkloadMessageFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not a valid Protocol Buffers message.
    case malformed
    /// A mandatory field is empty.
    case empty(field: String)
    /// An invalid SPIFFE ID or trust domain.
    case name(field: String, SPIFFEIDFlaw)
    case tooMany(field: String)

    public var description: String {
        switch self {
        case .malformed: "it is malformed"
        case .empty(let field): "its mandatory field \(field) is empty"
        case .name(let field, let flaw): "its field \(field): \(flaw)"
        case .tooMany(let field): "it has too many of \(field)"
        }
    }
}

/// One SVID as the Workload API delivers it (X509SVID); its certificates and key are not yet checked.
public struct WorkloadSVID: Hashable, Sendable {
    public let id: SPIFFEID
    /// Concatenated certificates in DER, the leaf first.
    public let certificates: [UInt8]
    /// PKCS#8 in DER. Never to be logged.
    public let privateKey: [UInt8]
    /// The bundle of its own trust domain: concatenated certificates in DER.
    public let bundle: [UInt8]
    /// The operator's name for it; empty if there is none.
    public let hint: String
}

/// All SVIDs of the workload (X509SVIDResponse): what is not in it has been withdrawn.
public struct X509SVIDMessage: Hashable, Sendable {
    /// Never empty. Of several with one hint, the first alone; of those after the first, the whole ones.
    public let svids: [WorkloadSVID]
    /// In DER.
    public let revocationLists: [[UInt8]]
    /// Bundles of other trust domains: certificates in DER, one after the other; empty where that is flawed.
    public let federatedBundles: [TrustDomain: [UInt8]]

    public init(parsing bytes: [UInt8]) throws(WorkloadMessageFlaw) {
        var svids: [WorkloadSVID] = []
        var lists: [[UInt8]] = []
        var bundles: [TrustDomain: [UInt8]] = [:]
        let span = bytes.span
        var reader = ProtobufReader(span, in: 0..<bytes.count)
        while let field = try reader.next() {
            switch field.number {
            case 1:
                guard svids.count < WorkloadLimits.svids else { throw .tooMany(field: "svids") }
                // The first is whose identity is taken where no hint is given: no other may come in its place.
                let svid =
                    svids.isEmpty
                    ? try WorkloadSVID(span, in: field.value) : try? WorkloadSVID(span, in: field.value)
                guard let svid else { continue }
                let isKnown = !svid.hint.isEmpty && svids.contains { $0.hint == svid.hint }
                if !isKnown { svids.append(svid) }
            case 2: try WorkloadLimits.append(span.array(field.value), to: &lists)
            case 3: try BundleEntry(span, in: field.value).add(to: &bundles, field: "federated_bundles")
            default: continue
            }
        }
        guard !svids.isEmpty else { throw .empty(field: "svids") }
        self.svids = svids
        revocationLists = lists
        federatedBundles = bundles
    }

    /// The SVID with this hint, or the first one if `hint` is nil.
    public func svid(hint: String?) -> WorkloadSVID? {
        guard let hint else { return svids.first }
        return svids.first { $0.hint == hint }
    }
}

/// All bundles that the workload is to trust (X509BundlesResponse).
public struct X509BundlesMessage: Hashable, Sendable {
    public let revocationLists: [[UInt8]]
    public let bundles: [TrustDomain: [UInt8]]

    public init(parsing bytes: [UInt8]) throws(WorkloadMessageFlaw) {
        var lists: [[UInt8]] = []
        var bundles: [TrustDomain: [UInt8]] = [:]
        let span = bytes.span
        var reader = ProtobufReader(span, in: 0..<bytes.count)
        while let field = try reader.next() {
            switch field.number {
            case 1: try WorkloadLimits.append(span.array(field.value), to: &lists)
            case 2: try BundleEntry(span, in: field.value).add(to: &bundles, field: "bundles")
            default: continue
            }
        }
        guard !bundles.isEmpty else { throw .empty(field: "bundles") }
        revocationLists = lists
        self.bundles = bundles
    }
}

extension WorkloadSVID {
    fileprivate init(_ bytes: Span<UInt8>, in range: Range<Int>) throws(WorkloadMessageFlaw) {
        var parts: [UInt64: [UInt8]] = [:]
        var reader = ProtobufReader(bytes, in: range)
        // The last value of a duplicated field counts, as the encoding specifies.
        while let field = try reader.next() {
            if (1...5).contains(field.number) { parts[field.number] = bytes.array(field.value) }
        }
        func mandatory(_ number: UInt64, _ name: String) throws(WorkloadMessageFlaw) -> [UInt8] {
            guard let part = parts[number], !part.isEmpty else { throw .empty(field: name) }
            return part
        }
        let name = try mandatory(1, "spiffe_id")
        do throws(SPIFFEIDFlaw) {
            id = try SPIFFEID(parsing: name.span)
        } catch {
            throw .name(field: "spiffe_id", error)
        }
        certificates = try mandatory(2, "x509_svid")
        privateKey = try mandatory(3, "x509_svid_key")
        bundle = try mandatory(4, "bundle")
        hint = String(decoding: parts[5] ?? [], as: UTF8.self)
    }
}

/// An entry of a map from trust domains to bundles.
private struct BundleEntry {
    private var name = ""
    private var bundle: [UInt8] = []

    init(_ bytes: Span<UInt8>, in range: Range<Int>) throws(WorkloadMessageFlaw) {
        var reader = ProtobufReader(bytes, in: range)
        while let field = try reader.next() {
            if field.number == 1 { name = String(decoding: bytes.array(field.value), as: UTF8.self) }
            if field.number == 2 { bundle = bytes.array(field.value) }
        }
    }

    func add(to bundles: inout [TrustDomain: [UInt8]], field: String) throws(WorkloadMessageFlaw) {
        guard bundles.count < WorkloadLimits.bundles else { throw .tooMany(field: field) }
        let scheme = "spiffe://"
        let bare = name.hasPrefix(scheme) ? String(name.dropFirst(scheme.count)) : name
        // The bundle of nobody hinders nobody; an empty one is that trust domain's flaw, and no other's.
        guard let domain = try? TrustDomain(parsing: bare) else { return }
        bundles[domain] = bundle
    }
}

/// Limits on the parts of a message.
enum WorkloadLimits {
    static let svids = 64
    static let bundles = 1_024
    static let lists = 1_024
    /// As gRPC's own default.
    static let messageBytes = 4 * 1_024 * 1_024

    static func append(_ list: [UInt8], to lists: inout [[UInt8]]) throws(WorkloadMessageFlaw) {
        guard lists.count < Self.lists else { throw .tooMany(field: "crl") }
        lists.append(list)
    }
}
