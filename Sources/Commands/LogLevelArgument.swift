import ArgumentParser
package import Logging

/// The name of a level of the log.
package struct LogLevelArgument: ExpressibleByArgument, CustomStringConvertible {
    package let level: Logger.Level
    package var description: String { level.rawValue }

    package init(level: Logger.Level) { self.level = level }

    package init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }
}
