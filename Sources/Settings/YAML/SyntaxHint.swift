/// The likely cause of a common YAML syntax error.
enum SyntaxHint: String {
    case tab = "indent with spaces, not tabs"
    case alias = "write a value that starts with `*` in quotes"
    case ipv6Endpoint = "write an IPv6 endpoint in quotes: \"[::1]:80\""
    case documents = "write `---` between documents"

    init?(problem: String, context: String, line: String) {
        if problem.contains("<document start>") {
            self = .documents
        } else if problem.contains("escape") {
            return nil
        } else if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
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
