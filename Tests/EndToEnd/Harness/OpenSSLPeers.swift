import Loopback
import PosternTesting

/// `openssl s_client`: a TLS client that nobody here wrote.
final class OpenSSLClient {
    let process: ChildProcess

    /// Connects at once, with the role's certificate, if any.
    init(
        to address: SocketAddress, as role: TestIdentities.Role?, folder: TemporaryFolder, options: [String] = []
    ) throws {
        var words = ["openssl", "s_client", "-connect", "\(address)", "-CAfile", folder.file("bundle.pem"), "-quiet"]
        if let role {
            words += ["-cert", folder.file("\(role.rawValue).pem"), "-key", folder.file("\(role.rawValue).key")]
            if TestIdentities.shared.hasIntermediates(role) {
                words += ["-cert_chain", folder.file("\(role.rawValue)-chain.pem")]
            }
        }
        process = try ChildProcess(words + options)
    }

    /// Connects at once with `name.pem` and `name.key` of the folder.
    init(to address: SocketAddress, named name: String, folder: TemporaryFolder, options: [String] = []) throws {
        process = try ChildProcess(
            [
                "openssl", "s_client", "-connect", "\(address)", "-quiet", "-cert", folder.file("\(name).pem"), "-key",
                folder.file("\(name).key"),
            ] + options)
    }

    /// Sends the line and waits until it comes back, and nothing else.
    func echoes(_ text: String, within limit: Duration = .seconds(10)) -> Bool {
        let before = process.standardOutput.bytes.count
        send(text)
        let all = process.standardOutput.awaitBytes(before + text.utf8.count, within: limit)
        return all.map { Array($0[before...]) } == Array(text.utf8)
    }

    func send(_ text: String) { process.write(Array(text.utf8)) }

    /// Waits until exactly this has come, and nothing else before it.
    func receives(_ text: String, within limit: Duration = .seconds(10)) -> Bool {
        process.standardOutput.awaitBytes(text.utf8.count, within: limit).map { Array($0.prefix(text.utf8.count)) }
            == Array(text.utf8)
    }

    /// Waits for the end, and returns the number of the alert that the server sent, if any.
    func alertAtEnd() -> Int? {
        guard process.awaitExit() != nil else { return nil }
        let text = process.standardError.text
        guard let mark = text.firstRange(of: "SSL alert number ") else { return nil }
        return Int(text[mark.upperBound...].prefix { $0.isNumber })
    }

    /// Says close_notify, as s_client does at the end of its input with `-no_ign_eof`.
    func finish() { process.closeInput() }
}

/// `openssl s_server -rev`: a TLS server that sends each line back reversed.
final class OpenSSLServer {
    let process: ChildProcess
    let address: SocketAddress

    init(as role: TestIdentities.Role, folder: TemporaryFolder, options: [String] = []) throws {
        process = try ChildProcess(
            [
                "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", folder.file("\(role.rawValue).pem"), "-key",
                folder.file("\(role.rawValue).key"), "-CAfile", folder.file("bundle.pem"), "-Verify", "3",
                "-verify_return_error", "-rev",
            ]
                + (TestIdentities.shared.hasIntermediates(role)
                    ? ["-cert_chain", folder.file("\(role.rawValue)-chain.pem")] : []) + options)
        let address = process.standardOutput.awaitLine { line in
            line.hasPrefix("ACCEPT ") ? SocketAddress(parsing: String(line.dropFirst(7))) : nil
        }
        guard let address else {
            throw HarnessFault.peerNotReady("openssl s_server", log: process.standardError.text)
        }
        self.address = address
    }
}
