/// The likely cause of a common YAML syntax error.
enum SyntaxHint: String {
    case tab = "indent with spaces, not tabs"
    case alias = "write a value that starts with `*` in quotes"
    case ipv6Endpoint = "write an IPv6 endpoint in quotes: \"[::1]:80\""

    init?(context: String, line: String) {
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            self = .tab
        } else if context.contains("alias") {
            self = .alias
        } else if line.contains("]:") && line.contains("::") {
            self = .ipv6Endpoint
        } else {
            return nil
        }
    }
}
