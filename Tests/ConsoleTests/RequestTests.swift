import Testing

@testable import Console

@Suite struct RequestTests {
    @Test func pathAndQueryAreDecoded() throws {
        let request = try #require(Request(target: "/api/records?topic=a%2Fb&where=status+%3E%3D+500&empty=&flag"))
        #expect(request.path == "/api/records")
        #expect(request.query == ["topic": "a/b", "where": "status >= 500", "empty": "", "flag": ""])
        #expect(request.text("empty") == nil)
    }

    @Test(arguments: ["", "x", "/%", "/%f", "/%zz", "/?a=%ff", "/%c3%28", "http://evil/"])
    func whatNoBrowserWritesIsRefused(target: String) { #expect(Request(target: target) == nil) }

    @Test func aNumberIsAWholeNumber() throws {
        let request = try #require(Request(target: "/?n=12&bad=1x"))
        #expect(try request.number("n") == 12)
        #expect(try request.number("none") == nil)
        #expect(throws: RequestError.self) { try request.number("bad") }
    }
}
