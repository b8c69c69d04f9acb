import KafkaConnection
import Testing

@testable import Broker

@Suite struct ListenerSettingsTests {
    static func listener(_ bind: String, advertise: String? = nil, plaintext: Bool = false) -> ListenerSettings {
        ListenerSettings(
            bind: Address(bind)!, advertise: advertise.map { Address($0)! }, allowsPlaintext: plaintext)
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
        #expect(Self.listener("127.0.0.1:0").advertised(boundPort: 4711) == Address("127.0.0.1:4711"))
        #expect(Self.listener("127.0.0.1:0", advertise: "agg:0").advertised(boundPort: 4711) == Address("agg:4711"))
        #expect(Self.listener("127.0.0.1:0", advertise: "agg:9").advertised(boundPort: 4711) == Address("agg:9"))
    }
}
