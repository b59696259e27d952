import Settings
import TLS
import Testing

@testable import DataPlane

/// Settings and TLS know nothing of each other, so that each has its own list.
@Suite("Names of key exchange groups")
struct KeyExchangeNamesTests {
    @Test("are the same in the settings and in TLS, where OpenSSL is asked for them, and mean the same groups")
    func names() {
        #expect(TLSSettings.KeyExchange.allCases.map(\.rawValue) == KeyExchangeGroup.allCases.map(\.rawValue))
        #expect(TLSSettings.KeyExchange.allCases.allSatisfy { KeyExchangeGroup($0).rawValue == $0.rawValue })
    }
}
