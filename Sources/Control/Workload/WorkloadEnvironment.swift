import Glibc

/// The environment's address of the Workload API.
public enum WorkloadEnvironment {
    /// SPIFFE_ENDPOINT_SOCKET (SPIFFE Workload Endpoint 4), if set and not empty.
    public static var endpointSocket: String? {
        // Nothing in this process changes the environment.
        guard let value = unsafe getenv("SPIFFE_ENDPOINT_SOCKET") else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
