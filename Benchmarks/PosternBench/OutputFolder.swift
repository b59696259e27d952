import ArgumentParser
import Glibc
import System
import Telemetry

/// The output folder of a run.
struct OutputFolder {
    let path: String

    /// The named folder, created if missing; else a new one below the system's temporary folder.
    init(_ named: String?) throws {
        // `getenv`'s C string is valid until the environment changes, and nothing here changes it.
        let temporary = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        let stamp = CivilTime.rfc3339(unixSeconds: WallClock.seconds()).map { $0 == ":" ? "-" : String($0) }.joined()
        path = named ?? "\(temporary)/postern-bench-\(stamp)"
        // The C string is valid for the call.
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw ValidationError("cannot create the folder \(path): errno \(errno)")
        }
    }

    func write(_ text: String, to name: String) throws {
        let file = "\(path)/\(name)"
        guard let stream = unsafe fopen(file, "w") else {
            throw ValidationError("cannot write \(file): errno \(errno)")
        }
        // The stream is open until `fclose`, and the text is NUL-terminated.
        unsafe fputs(text, stream)
        guard unsafe fclose(stream) == 0 else { throw ValidationError("cannot write \(file): errno \(errno)") }
    }
}
