import ArgumentParser
package import Kubernetes
import Settings

/// What pods get that choose nothing themselves.
package struct InjectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The image of the proxy.", valueName: "image"))
    package var image = "postern:\(BuildInfo.version)"

    package init() {}

    package func injection() throws(BadInput) -> Injection {
        guard let injection = Injection(image: image, version: BuildInfo.version) else {
            throw BadInput("\(quoted(image)) is no image")
        }
        return injection
    }
}
