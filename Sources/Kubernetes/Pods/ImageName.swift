/// What the name of a container's image says.
enum ImageName {
    /// Whether it names a registry: what is before the first slash is one if it has a dot or a port, or is `localhost`
    /// (the grammar of github.com/distribution/reference).
    static func hasRegistry(_ image: String) -> Bool {
        guard let slash = image.firstIndex(of: "/") else { return false }
        let host = image[..<slash]
        return host == "localhost" || host.utf8.contains { ".:".utf8.contains($0) }
    }
}

extension Injection {
    /// What to tell of an image that names no registry; nil if it does.
    public static func warning(ofImage image: String) -> String? {
        guard !ImageName.hasRegistry(image) else { return nil }
        let name = image.split(separator: "/").last.map(String.init) ?? image
        return
            "`\(image)` names no registry, so that nodes that do not have the image ask Docker Hub for it: name one by "
            + "`--image` or `\(PodAnnotation.image.name)`, such as `registry.example.org/\(name)`"
    }
}
