import ArgumentParser
import Glibc
import System
import Telemetry

/// Where the files of a run go.
struct OutputFolder {
    let path: String

    /// The named folder, made if it is missing; else a new one below the system's temporary folder.
    init(_ named: String?) throws {
        // `getenv` returns a C string that lives while nothing changes the environment, which nothing here does.
        let temporary = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        let stamp = CivilTime.rfc3339(unixSeconds: WallClock.seconds()).map { $0 == ":" ? "-" : String($0) }.joined()
        path = named ?? "\(temporary)/postern-bench-\(stamp)"
        // The C string lives for the call.
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw ValidationError("cannot make the folder \(path): errno \(errno)")
        }
    }

    func write(_ text: String, to name: String) throws {
        let file = "\(path)/\(name)"
        guard let stream = unsafe fopen(file, "w") else {
            throw ValidationError("cannot write \(file): errno \(errno)")
        }
        // The stream is open until `fclose`, and the text ends with a zero byte.
        unsafe fputs(text, stream)
        guard unsafe fclose(stream) == 0 else { throw ValidationError("cannot write \(file): errno \(errno)") }
    }
}
