import ArgumentParser
package import Settings

/// An address with a port, such as `[::]:8081`.
package struct EndpointArgument: ExpressibleByArgument, CustomStringConvertible {
    package let endpoint: Endpoint
    package let description: String

    package init?(argument: String) {
        guard let endpoint = try? Endpoint(parsing: argument) else { return nil }
        self.endpoint = endpoint
        description = argument
    }

    /// - Parameter text: an endpoint.
    package init(_ text: StaticString) {
        guard let endpoint = EndpointArgument(argument: "\(text)") else { preconditionFailure("no endpoint") }
        self = endpoint
    }
}
