import ArgumentParser
import Commands
import Control
import Identity
import Policy
import Settings
import TLS
import Telemetry

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Print the decision that `run` would make about a connection, and why.",
        discussion: """
            The connection is that of the options, or of a line of the access log. Opens neither sockets nor \
            certificate files. Exit codes: 0 forwarded, 1 refused, 2 bad input.
            """)

    @OptionGroup var config: ConfigOption

    @Option(
        help: ArgumentHelp(
            "In place of the other options: a line of the access log, or - for one on standard input.",
            valueName: "line"))
    var line: String?

    @Option(help: ArgumentHelp("The listener that accepts the connection.", valueName: "name"))
    var listener: String?

    @Option(help: ArgumentHelp("The peer's SPIFFE ID: the client's on an inbound listener.", valueName: "id"))
    var identity: String?

    @Flag(help: "In place of --identity: the client sends plaintext.")
    var plaintext = false

    @Option(help: ArgumentHelp("The client's IP address.", valueName: "ip"))
    var source = "127.0.0.1"

    @Option(help: ArgumentHelp("The server name that the client requests (SNI).", valueName: "name"))
    var sni: String?

    @Option(help: ArgumentHelp("The negotiated ALPN protocol.", valueName: "protocol"))
    var alpn: String?

    @Option(help: ArgumentHelp("The destination port; by default the listener's.", valueName: "port"))
    var port: UInt16?

    @Option(
        help: ArgumentHelp(
            "Where the client wants to go, on a transparent listener: 10.0.0.1:80, or an address.",
            valueName: "address"))
    var destination: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    mutating func run() throws {
        try takeLine()
        guard let listener else { throw BadInput("say with --listener which listener accepts the connection") }
        let outcome = Settings.load(path: config.path, endpointSocket: WorkloadEnvironment.endpointSocket)
        guard let settings = outcome.settings else {
            Console.complain(outcome.flaws)
            throw ExitCode.badInput
        }
        let question = try question()
        if plaintext, settings.listeners.contains(where: { $0.name == listener && $0.mode == .outbound }) {
            throw BadInput(
                "--plaintext is for inbound listeners; \"\(listener)\" is outbound: name with --identity the server's ID"
            )
        }
        let isTransparent = settings.listeners.contains { $0.name == listener && $0.transparency != .off }
        if isTransparent, question.destination == nil {
            throw BadInput("the listener \"\(listener)\" is transparent: say with --destination where the client goes")
        }
        if !isTransparent, question.destination != nil, settings.listeners.contains(where: { $0.name == listener }) {
            throw BadInput("--destination is for transparent listeners, and \"\(listener)\" is none: leave it out")
        }
        guard let answer = Answer(to: question, listener: listener, settings: settings) else {
            let names = settings.listeners.map(\.name).joined(separator: ", ")
            throw BadInput("no listener is named \"\(listener)\"; the listeners are: \(names)")
        }
        Console.write(json ? answer.json : answer.text)
        guard answer.forwards else { throw ExitCode.refused }
    }

    /// Replaces the options by what a line of the access log says.
    private mutating func takeLine() throws {
        guard let line else { return }
        guard listener == nil, identity == nil, !plaintext, sni == nil, alpn == nil, port == nil, destination == nil
        else {
            throw BadInput("--line is in place of all that says what connection is meant")
        }
        var text = Array(line.utf8)
        if line == "-" {
            guard let input = Console.readAll(bytesAtMost: 1 << 20) else {
                throw BadInput("standard input cannot be read")
            }
            text = Array(input.prefix { $0 != UInt8(ascii: "\n") })
        }
        guard let fields = JSONFields(text.span), let name = fields["listener"] else {
            throw BadInput("--line: that is no line of an access log")
        }
        // Whom an unverified certificate claims to be has no say.
        if fields["peerId"] == nil, let reason = fields["reason"], fields["peerClaimedId"] != nil {
            Console.write("refused in the handshake: \(reason)\(fields["code"].map { " (\($0))" } ?? "")")
            throw ExitCode.refused
        }
        listener = name
        identity = fields["peerId"]
        plaintext = identity == nil && fields["direction"] == "inbound"
        source = fields["source"].flatMap { try? Endpoint(parsing: $0) }.map { "\($0.address)" } ?? source
        sni = fields["sni"]
        alpn = fields["alpn"]
        destination = fields["destination"]
    }

    private func question() throws -> Question {
        guard identity == nil || !plaintext else {
            throw BadInput("--identity and --plaintext exclude each other: a client of plaintext has no identity")
        }
        guard identity != nil || plaintext else {
            throw BadInput("say with --identity who connects, or with --plaintext that the client proves nothing")
        }
        let id = try identity.map(Self.id)
        guard let address = IPAddress(parsing: source) else {
            throw BadInput("--source \(source): not an IP address")
        }
        let name = sni.flatMap { ServerName.parse($0.utf8) }
        if let sni, name == nil {
            throw BadInput("--sni \(sni): not a DNS name; a client that requests it is refused in the handshake")
        }
        return Question(
            identity: id, source: address, serverName: name, applicationProtocol: alpn, destinationPort: port,
            destination: try destination.map(Self.endpoint))
    }

    private static func id(_ text: String) throws -> SPIFFEID {
        do throws(SPIFFEIDFlaw) {
            return try SPIFFEID(parsing: text)
        } catch {
            throw BadInput("--identity \(text): \(error)")
        }
    }

    /// An address with a port, or an address alone.
    private static func endpoint(_ text: String) throws -> Endpoint {
        if let address = IPAddress(parsing: text) { return Endpoint(address: address, port: 0) }
        do throws(EndpointFlaw) {
            return try Endpoint(parsing: text)
        } catch {
            throw BadInput("--destination \(text): \(error)")
        }
    }
}
