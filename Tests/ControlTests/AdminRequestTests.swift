import Testing

@testable import Control

@Suite("A request to the admin endpoint")
struct AdminRequestTests {
    @Test("changes nothing over TCP, unless that is allowed, and nothing for a web page")
    func changes() {
        for (path, change) in [("/drain", AdminChange.drain), ("/quit", .quit)] {
            var request = AdminRequest(method: .post, path: path)
            #expect(Self.status(request) == 403)
            #expect(request.action(allowsChanges: true, hasHealth: false) == .change(change))
            request.isOverSocket = true
            #expect(request.action(allowsChanges: false, hasHealth: false) == .change(change))
            request.hasOrigin = true
            #expect(Self.status(request) == 403)
            for method in [HTTPMethod.get, .head, .other] {
                #expect(Self.status(AdminRequest(method: method, path: path, isOverSocket: true)) == 405)
            }
        }
    }

    @Test("asks for the application's health only where there is any, and changes it by no method")
    func health() {
        let request = AdminRequest(method: .get, path: "/app-health/a/livez")
        #expect(Self.status(request) == 404)
        #expect(request.action(allowsChanges: false, hasHealth: true) == .health(path: "/app-health/a/livez"))
        let posted = AdminRequest(method: .post, path: "/app-health/a/livez", isOverSocket: true)
        guard case .refuse(let answer) = posted.action(allowsChanges: true, hasHealth: true) else {
            Issue.record("it is not refused")
            return
        }
        #expect(answer.status == 405 && answer.allow == "GET, HEAD")
    }

    @Test("is answered with the application's own status where that says that it fails")
    func outcomes() {
        #expect(TextAnswer(.passed).status == 200)
        #expect(TextAnswer(.failed(reason: "it answered with status 404", status: 404)).status == 404)
        #expect(TextAnswer(.failed(reason: "x", status: 204)).status == 503)
        #expect(TextAnswer(.failed(reason: "x", status: nil)).status == 503)
    }

    /// Of a refusal; nil if the request is none.
    private static func status(_ request: AdminRequest) -> Int32? {
        if case .refuse(let answer) = request.action(allowsChanges: false, hasHealth: false) {
            answer.status
        } else {
            nil
        }
    }
}
