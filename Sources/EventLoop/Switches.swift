import Glibc
public enum Switches {
    static func number(_ name: String, _ otherwise: Int) -> Int {
        guard let text = unsafe getenv(name) else { return otherwise }
        return unsafe Int(String(cString: text)) ?? otherwise
    }
    public static let receiveBytes = number("X_RB", 65536)
    public static let receiveCount = number("X_RC", 32)
    public static let pollFirst = number("X_PF", 0)
    public static let sendMode = number("X_SM", 0)
    public static let more = number("X_MORE", 0)
}
