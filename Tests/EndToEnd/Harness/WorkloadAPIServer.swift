import Foundation
import Glibc
import Loopback
import PosternTesting
import Testing

/// A SPIFFE Workload API made of py-spiffe's definitions and grpcio: a server that nobody here wrote.
final class WorkloadAPIServer {
    /// One SVID of the folder: `name.pem` and `name.key`.
    struct SVID {
        var id: String
        var name: String
        var hint = ""
        var bundle = "bundle.pem"
    }

    let process: ChildProcess
    let socket: String
    private let folder: TemporaryFolder
    private var told = 0

    /// - Parameters:
    ///   - address: of a TCP socket, in place of a Unix one in the folder.
    ///   - prefix: words that run it elsewhere.
    init(_ folder: TemporaryFolder, at address: String? = nil, in prefix: [String] = []) throws {
        self.folder = folder
        socket = folder.file("agent.sock")
        unsafe unlink(socket)
        let script = try #require(Bundle.module.path(forResource: "workload_api", ofType: "py"))
        let python = try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
        process = try ChildProcess(prefix + [python, script, address ?? "unix:\(socket)"], in: folder.path)
        guard process.standardOutput.awaitLine(within: .seconds(120), { $0 == "serving" ? true : nil }) != nil else {
            throw HarnessFault.peerNotReady("workload_api.py", log: process.standardError.text)
        }
    }

    /// Hands these SVIDs out from now on.
    func hand(out svids: [SVID], federated: [String: String] = [:], lists: [String] = []) throws {
        let entries = svids.map { svid in
            [
                "id": svid.id, "certificates": folder.file("\(svid.name).pem"), "key": folder.file("\(svid.name).key"),
                "bundle": folder.file(svid.bundle), "hint": svid.hint,
            ]
        }
        try tell([
            "svids": entries, "federated": federated.mapValues { folder.file($0) },
            "crls": lists.map { folder.file($0) },
        ])
    }

    func hand(outBundles bundles: [String: String]) throws {
        try tell(["bundles": bundles.mapValues { folder.file($0) }])
    }

    /// Ends all calls with this gRPC status, and refuses those that come.
    func refuse(_ status: Int) throws { try tell(["status": status]) }

    /// Sends these bytes as a message.
    func send(raw bytes: [UInt8]) throws { try tell(["raw": bytes.map { String(format: "%02x", $0) }.joined()]) }

    func endStreams() throws { try tell(["end": true]) }

    private func tell(_ line: [String: Any]) throws {
        process.write(try JSONSerialization.data(withJSONObject: line) + [10])
        told += 1
        var seen = 0
        let wanted = told
        let answer = process.standardOutput.awaitLine(within: .seconds(30)) { line -> Bool? in
            if line == "told" { seen += 1 }
            return seen >= wanted ? true : nil
        }
        guard answer != nil else {
            let said = process.standardOutput.text + process.standardError.text
            throw HarnessFault.peerNotReady("workload_api.py", log: said)
        }
    }
}
