import CLibEvent
import Glibc
import System

/// Releases pages that only the start needed: code of the command line, of the settings and of first calls.
///
/// The kernel maps code in windows around each fault, so a start leaves megabytes resident that a sidecar at rest never
/// runs again. A page that is needed again faults back in from the page cache.
public enum StartupPages {
    public static func release() {
        guard let text = FileContents.text(path: "/proc/self/smaps") else { return }
        for mapping in untouchedMappings(smaps: text) {
            guard let start = unsafe UnsafeMutableRawPointer(bitPattern: mapping.lowerBound) else { continue }
            // The pages are file-backed, clean and read-only: the same bytes fault back in from the file.
            unsafe madvise(start, Int(mapping.count), MADV_DONTNEED)
        }
        malloc_trim(0)
    }

    /// The read-only private file mappings without a modified page.
    ///
    /// The latter excludes relocated data, which is read-only by now but differs from the file.
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
