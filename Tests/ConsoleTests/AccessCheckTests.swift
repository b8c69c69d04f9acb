import NIOHTTP1
import Testing

@testable import Console

@Suite struct AccessCheckTests {
    let local = AccessCheck(token: nil, isLoopback: true)
    let secret = AccessCheck(token: "0123456789abcdef", isLoopback: false)

    @Test(arguments: ["127.0.0.1:8640", "localhost", "LOCALHOST:1", "[::1]:8640", "[::1]"])
    func aLoopbackNameIsAllowed(host: String) {
        #expect(local.verdict(path: "/", headers: ["host": host]) == .allowed)
    }

    @Test(arguments: [
        "evil.example", "evil.example:8640", "127.0.0.1.evil.example", "localhost:8640@evil", "", "127.0.0.1:x",
    ])
    func aReboundNameIsForbidden(host: String) {
        guard case .forbidden = local.verdict(path: "/api/topics", headers: ["host": host]) else {
            Issue.record("\(host) was let in")
            return
        }
    }

    @Test func oneHostHeaderIsWanted() {
        var two = HTTPHeaders([("host", "localhost")])
        two.add(name: "host", value: "evil.example")
        for headers in [two, HTTPHeaders()] {
            guard case .forbidden = local.verdict(path: "/", headers: headers) else {
                Issue.record("\(headers) was let in")
                continue
            }
        }
    }

    @Test func healthIsOpenAndTheRestWantsTheToken() {
        #expect(secret.verdict(path: "/healthz", headers: [:]) == .allowed)
        #expect(secret.verdict(path: "/readyz", headers: [:]) == .allowed)
        for path in ["/", "/metrics", "/api/topics", "/app.js"] {
            #expect(secret.verdict(path: path, headers: [:]) == .tokenWanted)
        }
    }

    @Test func theTokenComesAsBearerOrAsPassword() {
        // "anyone:0123456789abcdef"
        for value in ["Bearer 0123456789abcdef", "bearer 0123456789abcdef", "Basic YW55b25lOjAxMjM0NTY3ODlhYmNkZWY="] {
            #expect(secret.verdict(path: "/", headers: ["authorization": value]) == .allowed, "\(value)")
        }
        for value in [
            "Bearer 0123456789abcdeg", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0", "Bearer ", "Bearer",
            "Basic MDEyMzQ1Njc4OWFiY2RlZg==", "Basic %%%", "Digest 0123456789abcdef", "",
        ] {
            #expect(secret.verdict(path: "/", headers: ["authorization": value]) == .tokenWanted, "\(value)")
        }
    }

    @Test func beyondTheLoopbackWithoutATokenOnlyMetricsAndHealthAreServed() {
        let open = AccessCheck(token: nil, isLoopback: false)
        #expect(open.verdict(path: "/metrics", headers: [:]) == .allowed)
        guard case .forbidden = open.verdict(path: "/", headers: ["host": "localhost"]) else {
            Issue.record("the page was served")
            return
        }
    }

    @Test func anotherSitesPageGetsNothing() {
        let headers: HTTPHeaders = ["host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"]
        guard case .forbidden = local.verdict(path: "/api/tail", headers: headers) else {
            Issue.record("a foreign page was let in")
            return
        }
    }

    @Test func base64IsDecoded() {
        #expect(Base64.decode("Zm9vYmE=") == Array("fooba".utf8))
        #expect(Base64.decode("Zm9vYg==") == Array("foob".utf8))
        #expect(Base64.decode("") == [])
        #expect(Base64.decode("Z*") == nil)
    }
}
