import CLibEvent
import Glibc
import System

/// Gives back the pages that only the start needed: code of the command line, of the settings and of first calls.
///
/// The kernel maps code in windows around each fault, so a start leaves megabytes resident that a sidecar at rest never
/// runs again. What is needed after all is mapped back from the page cache at its next use.
public enum StartupPages {
    public static func release() {
        guard let text = FileContents.text(path: "/proc/self/smaps") else { return }
        for mapping in untouchedMappings(smaps: text) {
            guard let start = unsafe UnsafeMutableRawPointer(bitPattern: mapping.lowerBound) else { continue }
            // Mapped from a file, never written to and not writable: the same bytes come back from the file.
            unsafe madvise(start, Int(mapping.count), MADV_DONTNEED)
        }
        malloc_trim(0)
    }

    /// The private mappings of files that are not writable and have no page that differs from the file.
    ///
    /// The latter leaves out relocated data, which is read-only by now but is not what the file has.
    static func untouchedMappings(smaps: String) -> [Range<UInt>] {
        var found: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in smaps.split(separator: "\n") {
            if let header = header(line) {
                candidate = header.isReadOnlyFile ? header.range : nil
            } else if line.hasPrefix("Anonymous:"), let range = candidate {
                if line.split(separator: " ").dropFirst().first == "0" { found.append(range) }
                candidate = nil
            }
        }
        return found
    }

    /// `55d0c0a00000-55d0c0c00000 r-xp 00200000 fe:00 123   /usr/bin/postern`
    private static func header(_ line: Substring) -> (range: Range<UInt>, isReadOnlyFile: Bool)? {
        let words = line.split(separator: " ")
        guard words.count >= 5 else { return nil }
        let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard ends.count == 2, ends[0] < ends[1] else { return nil }
        let isReadOnly = words[1] == "r--p" || words[1] == "r-xp"
        return (ends[0]..<ends[1], isReadOnly && words.count > 5 && words[5].hasPrefix("/"))
    }
}
