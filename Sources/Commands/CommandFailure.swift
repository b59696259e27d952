package import ArgumentParser

/// A failure caused by the input.
package protocol InputFault: Error, CustomStringConvertible {}

/// The arguments are well-formed but cannot be carried out.
package struct BadInput: InputFault {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A failure not caused by the input.
package protocol DescribedFault: Error, CustomStringConvertible {}

extension ExitCode {
    package static let refused = ExitCode(1)
    package static let badInput = ExitCode(2)
    package static let connectionsCut = ExitCode(3)
}
