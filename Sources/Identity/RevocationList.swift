/// A CRL (RFC 5280 5), parsed from its DER. Its signature is verified elsewhere.
///
/// Only a complete CRL of the issuer's own certificates is accepted: a delta, indirect or partial CRL, or one with an
/// unknown critical extension, would be misread and is refused.
public struct RevocationList: Sendable {
    /// The whole CRL.
    public let der: [UInt8]
    /// The DER of the issuer's name.
    public let issuer: [UInt8]
    /// Unix seconds.
    public let thisUpdate: Int64
    /// Unix seconds after which the CRL is stale; nil if it does not say.
    public let nextUpdate: Int64?
    /// In ascending order.
    private let revoked: [SerialNumber]

    /// Parses `der`, which must be exactly one CRL.
    public init(parsing der: [UInt8]) throws(RevocationListFlaw) {
        guard der.count <= Self.maximumBytes else { throw .tooLarge }
        let fields: Fields
        do throws(SVIDRefusal) {
            fields = try Fields(der.span)
        } catch {
            throw .malformed
        }
        if let flaw = fields.flaw { throw flaw }
        self.der = der
        issuer = Array(der[fields.issuer])
        thisUpdate = fields.thisUpdate
        nextUpdate = fields.nextUpdate
        revoked = fields.revoked.sorted()
    }

    public var revokedCount: Int { revoked.count }

    /// Whether the CRL lists this serial number; takes logarithmic time.
    public func contains(_ serial: SerialNumber) -> Bool {
        var range = 0..<revoked.count
        while let first = range.first {
            let middle = first + range.count / 2
            if revoked[middle] == serial { return true }
            range = revoked[middle] < serial ? middle + 1..<range.upperBound : first..<middle
        }
        return false
    }

    /// A quarter of a million entries; anything longer is refused unparsed.
    public static let maximumBytes = 16 * 1024 * 1024
}

extension RevocationList: Hashable {
    public static func == (left: RevocationList, right: RevocationList) -> Bool { left.der == right.der }
    public func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

/// Why a CRL is refused.
public enum RevocationListFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case malformed
    case tooLarge
    /// A delta, indirect or partial CRL, or an unknown critical extension.
    case unknownCriticalExtension

    public var description: String {
        switch self {
        case .malformed: "is not a CRL in DER or PEM"
        case .tooLarge: "is larger than \(RevocationList.maximumBytes) bytes"
        case .unknownCriticalExtension:
            "has a critical extension that is not supported; use a complete CRL of the issuer's own certificates"
        }
    }
}

/// The fields of a CRL while it is parsed; anything malformed throws `SVIDRefusal.malformedCertificate`.
private struct Fields {
    private(set) var issuer = 0..<0
    private(set) var thisUpdate: Int64 = 0
    private(set) var nextUpdate: Int64?
    private(set) var revoked: [SerialNumber] = []
    private(set) var flaw: RevocationListFlaw?

    init(_ der: Span<UInt8>) throws(SVIDRefusal) {
        var file = DERReader(der)
        var list = DERReader(der, in: try file.next(.sequence))
        try file.finish()
        var signed = DERReader(der, in: try list.next(.sequence))
        _ = try list.next(.sequence)  // signatureAlgorithm
        _ = try DERValues.leadingBits(der, in: try list.next(.bitString))  // signatureValue
        try list.finish()

        if let version = try signed.nextIfPresent(.integer) {
            guard version.count == 1, der[version.lowerBound] == 1 else { throw .malformedCertificate }
        }
        let algorithm = try signed.next(.sequence)
        issuer = algorithm.upperBound..<(try signed.next(.sequence)).upperBound
        guard let begun = try Self.timeIfPresent(&signed) else { throw .malformedCertificate }
        thisUpdate = begun
        nextUpdate = try Self.timeIfPresent(&signed)
        if let entries = try signed.nextIfPresent(.sequence) { try readEntries(der, entries) }
        if let explicit = try signed.nextIfPresent(.version) {
            var reader = DERReader(der, in: explicit)
            try readExtensions(der, try reader.next(.sequence))
            try reader.finish()
        }
        try signed.finish()
    }

    private mutating func readEntries(_ der: Span<UInt8>, _ content: Range<Int>) throws(SVIDRefusal) {
        var entries = DERReader(der, in: content)
        // The shortest entry: its header, a number of one byte and a UTCTime.
        revoked.reserveCapacity(content.count / 20)
        while !entries.isAtEnd {
            var entry = DERReader(der, in: try entries.next(.sequence))
            let magnitude = try DERValues.magnitude(der, in: try entry.next(.integer))
            guard let serial = der.serialNumber(magnitude) else { throw .malformedCertificate }
            guard try Self.timeIfPresent(&entry) != nil else { throw .malformedCertificate }
            if let extensions = try entry.nextIfPresent(.sequence) { try readExtensions(der, extensions) }
            try entry.finish()
            revoked.append(serial)
        }
    }

    /// Only critical extensions must be known.
    private mutating func readExtensions(_ der: Span<UInt8>, _ content: Range<Int>) throws(SVIDRefusal) {
        var reader = DERReader(der, in: content)
        while !reader.isAtEnd {
            var fields = DERReader(der, in: try reader.next(.sequence))
            _ = try fields.next(.objectIdentifier)
            var isCritical = false
            if let critical = try fields.nextIfPresent(.boolean) {
                isCritical = try DERValues.boolean(der, in: critical)
            }
            _ = try fields.next(.octetString)
            try fields.finish()
            if isCritical { flaw = .unknownCriticalExtension }
        }
    }

    private static func timeIfPresent(_ reader: inout DERReader) throws(SVIDRefusal) -> Int64? {
        if let utc = try reader.nextIfPresent(.utcTime) { return try CertificateTime.utc(reader.bytes, in: utc) }
        guard let generalized = try reader.nextIfPresent(.generalizedTime) else { return nil }
        return try CertificateTime.generalized(reader.bytes, in: generalized)
    }
}

extension Span<UInt8> {
    fileprivate func serialNumber(_ magnitude: Range<Int>) -> SerialNumber? {
        SerialNumber(magnitude.map { self[$0] })
    }
}
