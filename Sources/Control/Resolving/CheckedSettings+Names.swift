import DataPlane
import Logging
import Settings

extension CheckedSettings {
    /// The same, with a warning for each endpoint whose name has no address now. Asks DNS, for a few seconds at most.
    public func lookingUpNames() -> CheckedSettings {
        let flaws = (flaws + unresolvedNames()).sorted {
            ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column)
        }
        return CheckedSettings(ready: ready, settings: settings, flaws: flaws, sources: sources)
    }

    private func unresolvedNames() -> [SettingsFlaw] {
        let routes = settings?.listeners.flatMap(\.routes) ?? []
        guard let settings,
            routes.contains(where: { !$0.upstream.questions.isEmpty || !$0.match.questions.isEmpty })
        else { return [] }
        do throws(ControlFault) {
            let resolver = NameResolver(
                on: try ControlLoop(signals: .none), logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() })
            resolver.serve(settings)
            resolver.settle(withinMilliseconds: 5_000)
            return unresolvedNames(settings, resolver)
        } catch {
            return []
        }
    }

    private func unresolvedNames(_ settings: Settings, _ resolver: NameResolver) -> [SettingsFlaw] {
        let answers = resolver.names.answers
        var flaws: [SettingsFlaw] = []
        for (listenerIndex, listener) in settings.listeners.enumerated() {
            for (routeIndex, route) in listener.routes.enumerated() {
                for question in route.match.questions where answers[question]?.isEmpty != false {
                    let reason = resolver.failure(of: question) ?? "no answer in time"
                    flaws.append(
                        SettingsFlaw(
                            .warning, at: sources.destinations(ofRoute: routeIndex, ofListener: listenerIndex),
                            "\(question.name) has no address from here: \(reason)"))
                }
                guard case .endpoints(let endpoints) = route.upstream.target else { continue }
                for (index, endpoint) in endpoints.enumerated() {
                    guard let question = NameQuestion(endpoint, route.upstream.resolve),
                        answers[question]?.isEmpty != false
                    else { continue }
                    let reason = resolver.failure(of: question) ?? "no answer in time"
                    flaws.append(
                        SettingsFlaw(
                            .warning, at: sources.endpoint(index, ofRoute: routeIndex, ofListener: listenerIndex),
                            "\(endpoint) has no address from here: \(reason)"))
                }
            }
        }
        return flaws
    }
}
