/// The demo's introduction: the parties, and calls to paste.
struct DevGuide {
    let site: DevSite

    var text: String {
        let application = site.applicationPort.map { "your application on 127.0.0.1:\($0)" } ?? "a built-in echo"
        return """

            Two Posterns run between a caller and \(application):

              plaintext -> outbound Postern -> mutual TLS -> inbound Postern -> the application
              127.0.0.1:\(site.clientPort), with the SVID of \(DevSite.Party.client.id)
              127.0.0.1:\(site.intruderPort), with the SVID of \(DevSite.Party.intruder.id)
              127.0.0.1:\(site.inboundPort), the inbound listener, which allows only the client

            ALLOWED, through the pair:
              \(call(site.clientPort))
            ALLOWED, with openssl for the outbound side:
              \(openssl(.client))
            REFUSED, through the pair (the connection is reset):
              \(call(site.intruderPort))
            REFUSED, with openssl (the alert says access denied):
              \(openssl(.intruder))

            Each call adds a line below, with its decision, rule and reason. The same decision offline:
              \(CommandLine.arguments[0]) explain -c \(site.settingsPath(of: .server)) --listener app --identity \(DevSite.Party.intruder.id)
            Ctrl-C stops everything and removes \(site.folder).

            """
    }

    private func call(_ port: UInt16) -> String {
        if site.applicationPort != nil { return "curl -sS http://127.0.0.1:\(port)/" }
        return "bash -c 'exec 3<>/dev/tcp/127.0.0.1/\(port); echo hello >&3; head -n 1 <&3'"
    }

    private func openssl(_ party: DevSite.Party) -> String {
        let folder = site.folder
        let text = site.applicationPort == nil ? "echo hello" : "printf 'GET / HTTP/1.0\\r\\n\\r\\n'"
        return
            "(\(text); sleep 1) | openssl s_client -quiet -no_ign_eof -verify_quiet -servername app -connect 127.0.0.1:\(site.inboundPort)"
            + " -CAfile \(folder)/bundle.pem -cert \(folder)/\(party.rawValue).pem -key \(folder)/\(party.rawValue).key"
            + " -cert_chain \(folder)/\(party.rawValue).pem"
    }
}
