import Testing

@testable import Control

@Suite("Descriptors for connections")
struct DescriptorLimitTests {
    @Test(
        "are what is left of the limit beside a proxy's own, and at least half of it",
        arguments: [(64, 16), (100, 25), (1_024, 439), (1_048_576, 524_215), (0, 1)])
    func room(descriptors: Int, connections: Int) {
        #expect(DescriptorLimit.connections(of: descriptors, listeners: 1, workers: 2) == connections)
    }
}
