import COpenSSL

/// OpenSSL's error queue of this thread: cleared before each call, read at once after a failure, never left full.
package enum ErrorQueue {
    /// One entry of the queue, by OpenSSL's numbers.
    package struct Entry: Hashable, Sendable {
        package let library: Int32
        package let reason: Int32
    }

    /// Clearing an empty queue costs ten times as much as checking it.
    package static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Empties the queue and returns the oldest entry that libssl made, or the newest of any library.
    ///
    /// libcrypto's entries come first and say less: a forged signature reads "padding check failed" before libssl's
    /// "bad signature".
    package static func take() -> Entry? {
        var ofLibSSL: Entry?
        var newest: Entry?
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return ofLibSSL ?? newest }
            let entry = Entry(library: postern_err_lib(code), reason: postern_err_reason(code))
            newest = entry
            if entry.library == ERR_LIB_SSL, ofLibSSL == nil { ofLibSSL = entry }
        }
    }

    /// The fault of a call of ours that OpenSSL refused.
    package static func fault(_ call: String) -> CryptoFault {
        let entry = take()
        return .refused(call: call, library: entry?.library ?? 0, reason: entry?.reason ?? 0)
    }
}
