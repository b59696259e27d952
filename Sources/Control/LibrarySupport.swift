import Crypto
import DataPlane
import Settings
import TLS

/// What the settings ask of OpenSSL and the loaded one does not have.
enum LibrarySupport {
    /// Decides for the module that the settings want, or says why that cannot be.
    static func moduleFlaw(of settings: TLSSettings, _ sources: SourceMap) -> SettingsFlaw? {
        do throws(CryptoFault) {
            try CryptoModule.choose(settings.fips ? .fips : .standard)
            return nil
        } catch {
            let message =
                error == .moduleIsDecided
                ? "settings with `fips: true` and others cannot be checked by one process" : "\(error)"
            return SettingsFlaw(.error, at: sources.fips, message)
        }
    }

    /// One flaw for each key exchange group that is named and missing; none is an error if another group remains.
    static func flaws(of settings: TLSSettings, _ sources: SourceMap) -> [SettingsFlaw] {
        guard let groups = settings.keyExchange else { return [] }
        let available = KeyExchangeGroup.available
        let missing = groups.indices.filter { !available.contains(KeyExchangeGroup(groups[$0])) }
        guard missing.count < groups.count else {
            let remedy = "name one of \(TLSLibrary.keyExchange), or leave the key out"
            let message = "\(TLSLibrary.version) has none of these key exchange groups: \(remedy)"
            return [SettingsFlaw(.error, at: sources.keyExchange, message)]
        }
        return missing.map { index in
            let message = "\(TLSLibrary.version) does not have the group `\(groups[index].rawValue)`, which is skipped"
            return SettingsFlaw(.warning, at: sources.keyExchange(index), message)
        }
    }
}
