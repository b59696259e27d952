/// The keys of `identity.federation`.
enum FederationKeys {
    /// SPIFFE Federation 5.2.
    enum Profile: String, CaseIterable {
        case web = "https_web"
        case spiffe = "https_spiffe"
    }

    static let staleAfterDefault = 86_400_000
    static let staleAfterAllowed = 10_000...30 * 86_400_000

    static let references = [
        SettingReference(
            "identity.federation", "mapping of trust domains to mappings",
            "Further trust domains, whose bundles are polled where they publish them."),
        SettingReference("identity.federation.DOMAIN.url", "https URL, required", "The bundle endpoint."),
        SettingReference(
            "identity.federation.DOMAIN.profile",
            Profile.allCases.map(\.rawValue).joined(separator: " | ") + ", required",
            "How the endpoint is known: by its name and the web's authorities, or by its SPIFFE ID."),
        SettingReference(
            "identity.federation.DOMAIN.authorities", "path",
            "https_web only: a PEM file of root certificates instead of the system's."),
        SettingReference(
            "identity.federation.DOMAIN.endpointID", "SPIFFE ID, required with https_spiffe", "The endpoint's own."),
        SettingReference(
            "identity.federation.DOMAIN.bundle", "path, required with https_spiffe",
            "A PEM file of the authorities that the endpoint is known by, until its own bundle takes their place."),
        SettingReference(
            "identity.federation.DOMAIN.staleAfter",
            "duration, \(DurationText(staleAfterAllowed.lowerBound)) to \(DurationText(staleAfterAllowed.upperBound))",
            default: "\(DurationText(staleAfterDefault))",
            "Without a good answer for this long, the trust domain is trusted no more."),
    ]
}
