import CLibEvent
import Glibc
import System

/// Reports when the contents behind a set of paths may have changed (inotify). Belongs to the control thread.
///
/// May report spuriously, never misses a change. After a report call ``rearm()``, because the paths may resolve
/// elsewhere, then read the files.
package final class FileWatch {
    /// The paths to watch.
    package var paths: [String] { didSet { if paths != oldValue { rearm() } } }

    package let descriptor: Int32
    private let owned: OwnedDescriptor
    /// The relevant entries of a watched folder; nil for a watched file.
    private var names: [Int32: Set<String>?] = [:]

    package init(_ paths: [String]) throws(ControlFault) {
        let number = inotify_init1(postern_inotify_flags)
        guard number >= 0 else { throw .system(what: "cannot watch files", errno: errno) }
        owned = OwnedDescriptor(number)
        descriptor = number
        self.paths = paths
        rearm()
    }

    /// Watches the files that the paths resolve to now.
    package func rearm() {
        var wanted: [Int32: Set<String>?] = [:]
        for path in paths {
            let watched = WatchedPath(path)
            for place in watched.places {
                guard let number = watch(place.folder, Self.folderEvents) else { continue }
                wanted[number, default: []]?.insert(place.name)
            }
            // A bind-mounted file changes without an event in its folder.
            if let file = watched.file, let number = watch(file, Self.fileEvents), wanted[number] == nil {
                wanted[number] = .some(nil)
            }
        }
        for number in names.keys where wanted[number] == nil { inotify_rm_watch(descriptor, number) }
        names = wanted
    }

    /// Reads the pending events; returns whether any is relevant.
    package func takeEvents() -> Bool {
        var matters = false
        var buffer = [UInt8](repeating: 0, count: 16 * 1_024)
        while true {
            // Writes at most the buffer's length: whole events only.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return matters }
            var start = 0
            while let event = InotifyEvent(buffer[..<count], at: start) {
                start = event.end
                matters = self.matters(event) || matters
            }
        }
    }

    // MARK: Private

    private func matters(_ event: InotifyEvent) -> Bool {
        if event.mask & Self.overflow != 0 { return true }
        guard let names = names[event.watch] else { return false }
        // The folder or file itself was moved or removed, or a file was written to.
        guard let names, !event.name.isEmpty else { return true }
        return names.contains(event.name)
    }

    private func watch(_ path: String, _ events: UInt32) -> Int32? {
        let number = unsafe inotify_add_watch(descriptor, path, events)
        return number >= 0 ? number : nil
    }

    private static let overflow = UInt32(IN_Q_OVERFLOW)
    private static let selfEvents = UInt32(IN_DELETE_SELF | IN_MOVE_SELF)
    private static let fileEvents = selfEvents | UInt32(IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB)
    private static let folderEvents =
        fileEvents | UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
}

/// One event in the kernel's format (inotify(7)).
private struct InotifyEvent {
    let watch: Int32
    let mask: UInt32
    let name: String
    let end: Int

    /// Nil unless a whole event begins here.
    init?(_ bytes: ArraySlice<UInt8>, at start: Int) {
        guard start + Self.headerBytes <= bytes.count else { return nil }
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[start + offset + $1]) << UInt32(8 * $1) }
        }
        let nameEnd = start + Self.headerBytes + Int(word(12))
        guard nameEnd <= bytes.count else { return nil }
        watch = Int32(bitPattern: word(0))
        mask = word(4)
        name = String(decoding: bytes[start + Self.headerBytes..<nameEnd].prefix { $0 != 0 }, as: UTF8.self)
        end = nameEnd
    }

    private static let headerBytes = 16
}
