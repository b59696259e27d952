import ArgumentParser
import Commands
import Control
import Redirection
import Settings
import System

extension RedirectionPlan {
    /// The settings of a file, and the rules that follow from them.
    ///
    /// - Parameters:
    ///   - user: the proxy's, by name or number.
    ///   - only: the one family whose connections are redirected; nil: both.
    static func load(_ path: String, user: String?, only: IPFamily?) throws -> (Settings, RedirectionPlan) {
        let outcome = Settings.load(path: path, endpointSocket: WorkloadEnvironment.endpointSocket)
        guard let settings = outcome.settings else {
            Console.complain(outcome.flaws)
            throw ExitCode.badInput
        }
        let number = try userID(user)
        do throws(RedirectionFlaw) {
            let plan = try RedirectionPlan(settings, families: only.map { [$0] } ?? [.v4, .v6], user: number)
            return (settings, plan)
        } catch {
            throw BadInput("\(path): \(error)")
        }
    }

    private static func userID(_ user: String?) throws -> UInt32? {
        guard let user else { return nil }
        guard let number = UInt32(user) ?? Accounts.user(named: user) else {
            throw BadInput("no user is named \"\(user)\": give its name or number")
        }
        return number
    }
}
