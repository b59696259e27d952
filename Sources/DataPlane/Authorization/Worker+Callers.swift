import Settings
import System

extension CallerSettings {
    /// Whether one of the users, or of the groups, is the caller's; a caller that is not known has none.
    func admit(_ caller: LocalCaller?) -> Bool {
        guard let caller else { return false }
        return users.contains(caller.user) || caller.groups.contains { groups.contains($0) }
    }
}

extension ListenerPlan {
    /// Why a caller may not use the listener; nil if it may.
    func objection(to caller: LocalCaller?) -> String? {
        guard let callers, !callers.admit(caller) else { return nil }
        guard let caller else { return "the caller's user is not known" }
        return "neither user \(caller.user) nor a group of it is among the listener's callers"
    }
}
