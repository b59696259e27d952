import CLibURing

/// Which liburing this program was built with.
public enum IOURingVersion {
    public static var text: String {
        // A C string that is part of the program.
        unsafe String(cString: postern_liburing_version())
    }
}
