import COpenSSL
import Crypto

/// A key exchange group (RFC 8446, section 4.2.7).
///
/// The raw value is what settings and logs show, and OpenSSL's name of the group.
public enum KeyExchangeGroup: String, Hashable, Sendable, CaseIterable {
    case x25519MLKEM768 = "X25519MLKEM768"
    case secP256r1MLKEM768 = "SecP256r1MLKEM768"
    case secP384r1MLKEM1024 = "SecP384r1MLKEM1024"
    case x25519 = "X25519"
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"

    /// The default, in order of preference. Some peers have P-384 alone.
    public static let preferred: [KeyExchangeGroup] = [.x25519MLKEM768, .x25519, .p256, .p384]

    /// The groups that this process's OpenSSL has.
    public static let available: [KeyExchangeGroup] = allCases.filter(\.isAvailable)

    /// Whether the exchange stays secret to one who records it now and has a quantum computer later.
    var isPostQuantum: Bool {
        switch self {
        case .x25519MLKEM768, .secP256r1MLKEM768, .secP384r1MLKEM1024: true
        case .x25519, .p256, .p384, .p521: false
        }
    }

    private var isAvailable: Bool {
        defer { ErrorQueue.clear() }
        guard let library = try? CryptoLibrary.shared(),
            let context = unsafe SSL_CTX_new_ex(library.pointer, nil, TLS_method())
        else { return false }
        // Safe: the context was made above and is freed once, here.
        defer { unsafe SSL_CTX_free(context) }
        return unsafe postern_ctx_set_groups(context, rawValue) == 1
    }

    /// The group that a connection has agreed on; nil before that.
    init?(agreedBy ssl: OpaquePointer) {
        // Safe: the SSL is alive. OpenSSL has no NID for the hybrids, and gives their number in the TLS registry.
        switch unsafe postern_ssl_group(ssl) {
        case NID_X25519: self = .x25519
        case NID_X9_62_prime256v1: self = .p256
        case NID_secp384r1: self = .p384
        case NID_secp521r1: self = .p521
        case TLSEXT_nid_unknown | 0x11ec: self = .x25519MLKEM768
        case TLSEXT_nid_unknown | 0x11eb: self = .secP256r1MLKEM768
        case TLSEXT_nid_unknown | 0x11ed: self = .secP384r1MLKEM1024
        default: return nil
        }
    }
}

/// The groups of a context, as OpenSSL takes them.
struct KeyExchangeList {
    /// Of the wanted groups, those that OpenSSL has.
    let groups: [KeyExchangeGroup]

    /// - Parameter wanted: in order of preference.
    init(_ wanted: [KeyExchangeGroup]) throws(TLSFault) {
        groups = wanted.filter(KeyExchangeGroup.available.contains)
        guard !groups.isEmpty else { throw .noKeyExchange(wanted.map(\.rawValue)) }
    }

    /// For SSL_CTX_set1_groups_list(3).
    ///
    /// OpenSSL 3.5 has post-quantum groups, and with them tuples: an accepting side chooses the first tuple in which it
    /// has a group in common with the client, by a HelloRetryRequest if need be, and within that tuple prefers a group
    /// that the client sent a share of. Groups of a kind share a tuple: the round trip of a retry is spent to reach
    /// post-quantum security, and not to prefer one curve to another.
    ///
    /// A dialling side sends a share of its first group (all that older versions can say), and if that is post-quantum
    /// also of its first other group, so that servers without post-quantum groups need no retry.
    var text: String {
        let names = groups.map(\.rawValue)
        guard groups.contains(where: \.isPostQuantum) else { return names.joined(separator: ":") }
        let shared = [groups.first, groups.first { !$0.isPostQuantum }]
        var text = ""
        for (index, group) in groups.enumerated() {
            if index > 0 { text += group.isPostQuantum == groups[index - 1].isPostQuantum ? ":" : "/" }
            text += (shared.contains(group) ? "*" : "") + names[index]
        }
        return text
    }
}
