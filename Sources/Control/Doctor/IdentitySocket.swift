import Glibc
public import Settings
import System

/// The socket of the Workload API that settings or environment name, and what came of an attempt to connect.
public struct IdentitySocket: Hashable, Sendable {
    public let address: WorkloadAddress
    /// Zero if it accepted.
    public let errno: Int32

    public init(address: WorkloadAddress, errno: Int32) {
        self.address = address
        self.errno = errno
    }

    /// Connects to the one in use, for at most a second; nil if none is.
    ///
    /// - Parameter checked: nil, or flawed: the one of the environment counts.
    public static func attempt(_ checked: CheckedSettings?) -> IdentitySocket? {
        switch checked?.settings?.identity {
        case .files?: return nil
        case .workloadAPI(let identity)?: return attempt(identity.address, mark: checked?.settings?.mark)
        case nil:
            let named = WorkloadEnvironment.endpointSocket
            return named.flatMap { try? WorkloadAddress(parsing: $0) }.map { attempt($0, mark: nil) }
        }
    }

    private static func attempt(_ address: WorkloadAddress, mark: Int?) -> IdentitySocket {
        do throws(ControlFault) {
            _ = try WorkloadSocket(to: address, mark: UInt32(clamping: mark ?? 0))
            return IdentitySocket(address: address, errno: 0)
        } catch .system(_, let errno) {
            return IdentitySocket(address: address, errno: errno)
        } catch {
            return IdentitySocket(address: address, errno: EIO)
        }
    }
}
