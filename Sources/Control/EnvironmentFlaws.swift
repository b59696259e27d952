import ApplicationHealth
public import Settings

/// What is wrong with the variables that a proxy reads beside its settings.
public struct EnvironmentFlaws: Sendable {
    /// Why a start would end; each names its variable.
    public let errors: [String]

    /// - Parameter settings: those to run with; nil: not known.
    public init(_ settings: Settings?) {
        var errors: [String] = []
        do throws(ProbeListFlaw) {
            _ = try HealthEnvironment.probes(hasAdmin: settings.map { $0.admin != nil } ?? true)
            _ = try HealthEnvironment.addresses()
        } catch {
            errors.append("\(error)")
        }
        // With settings, these name the address, or have been refused for it.
        if settings == nil, let socket = WorkloadEnvironment.endpointSocket {
            do throws(WorkloadAddressFlaw) {
                _ = try WorkloadAddress(parsing: socket)
            } catch {
                errors.append("SPIFFE_ENDPOINT_SOCKET: \(error)")
            }
        }
        self.errors = errors
    }
}
