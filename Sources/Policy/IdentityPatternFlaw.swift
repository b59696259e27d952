public import Identity

/// Why a text is not a SPIFFE ID pattern; the description says how to fix it.
public enum IdentityPatternFlaw: Error, Hashable, Sendable {
    case notASPIFFEID(SPIFFEIDFlaw)
    /// A star beside other characters in the trust domain.
    case partialTrustDomain(String)
    /// A star beside other characters in a path segment.
    case partialSegment(String)
    case doubleStarNotLast
    /// No path, so that no workload could match.
    case noPath(suggestion: String)
}

extension IdentityPatternFlaw: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notASPIFFEID(let flaw):
            flaw.description
        case .partialTrustDomain(let text):
            "trust domain '\(text)': write one trust domain in full, or * alone for any trusted one"
        case .partialSegment(let text):
            "path segment '\(text)': * stands for one whole segment, so write the segment in full or * alone"
        case .doubleStarNotLast:
            "** must be the last segment: write * for each single segment before the end"
        case .noPath(let suggestion):
            "no path, which matches no workload: write \(suggestion) for every workload of the trust domain"
        }
    }
}
