import Testing

@testable import Broker

@Suite struct ListenerSettingsTests {
    @Test(arguments: [
        ("127.0.0.1:9092", "127.0.0.1", 9092), ("agg", "agg", 9092), ("[::1]:9093", "::1", 9093), ("::1", "::1", 9092),
        ("localhost:0", "localhost", 0),
    ]) func readsHostAndPort(text: String, host: String, port: Int) {
        #expect(HostAndPort(text) == HostAndPort(host: host, port: port))
    }

    @Test(arguments: ["", ":9092", "host:", "host:x", "host:70000", "[::1", "[::1]9092"])
    func refusesWhatIsNoAddress(text: String) {
        #expect(HostAndPort(text) == nil)
    }

    static func listener(_ bind: String, advertise: String? = nil, plaintext: Bool = false) -> ListenerSettings {
        ListenerSettings(
            bind: HostAndPort(bind)!, advertise: advertise.map { HostAndPort($0)! }, allowsPlaintext: plaintext)
    }

    @Test func plaintextStaysOnTheLoopbackUnlessAllowed() throws {
        try Self.listener("127.0.0.1:9092").validate()
        try Self.listener("[::1]:9092").validate()
        let error = #expect(throws: BrokerSettingsError.self) { try Self.listener("10.0.0.1:9092").validate() }
        #expect(error?.message.contains("allow_plaintext") == true)
        try Self.listener("10.0.0.1:9092", plaintext: true).validate()
    }

    @Test func theWildcardIsNeverAdvertised() throws {
        let error = #expect(throws: BrokerSettingsError.self) {
            try Self.listener("0.0.0.0:9092", plaintext: true).validate()
        }
        #expect(error?.message.contains("set advertise") == true)
        #expect(throws: BrokerSettingsError.self) {
            try Self.listener("0.0.0.0:9092", advertise: "0.0.0.0:9092", plaintext: true).validate()
        }
        try Self.listener("0.0.0.0:9092", advertise: "agg:9092", plaintext: true).validate()
    }

    @Test func portZeroBecomesTheBoundPort() {
        #expect(Self.listener("127.0.0.1:0").advertised(boundPort: 4711) == HostAndPort("127.0.0.1:4711"))
        #expect(Self.listener("127.0.0.1:0", advertise: "agg:0").advertised(boundPort: 4711) == HostAndPort("agg:4711"))
        #expect(Self.listener("127.0.0.1:0", advertise: "agg:9").advertised(boundPort: 4711) == HostAndPort("agg:9"))
    }
}
