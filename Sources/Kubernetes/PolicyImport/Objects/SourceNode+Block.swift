import Policy
import Settings

extension SourceNode {
    /// An address or a block of addresses. Both meshes ignore bits behind the prefix.
    ///
    /// A block of IPv6 for addresses of IPv4 (`::ffff:10.0.0.0/104`) is refused: Postern takes it for one of IPv4, and
    /// the meshes match no client by it.
    func block(in file: String) throws(SettingsFlaw) -> CIDR {
        let text = try text("an address block", in: file)
        func flaw(_ message: String) -> SettingsFlaw {
            SettingsFlaw(.error, at: position(in: file), "address block \(quoted(text)): \(message)")
        }
        let block: CIDR
        do throws(CIDRFlaw) {
            block = try Self.masked(text)
        } catch {
            throw flaw("\(error)")
        }
        if case .v4 = block.network, text.contains(":") {
            throw flaw("no client has such an address of IPv6: did you mean \(block)?")
        }
        return block
    }

    private static func masked(_ text: String) throws(CIDRFlaw) -> CIDR {
        do throws(CIDRFlaw) {
            return try CIDR(parsing: text)
        } catch {
            guard case .hostBits(let suggestion) = error else { throw error }
            return try CIDR(parsing: suggestion)
        }
    }
}
