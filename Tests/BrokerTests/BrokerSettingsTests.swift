import Base
import KafkaConnection
import Settings
import Testing

@testable import Broker

@Suite struct BrokerSettingsTests {
    static func read(_ text: String) throws -> BrokerSettings {
        try BrokerSettings(yaml: YAMLNode.parse(text, file: "broker.yaml"))
    }

    @Test func aWholeFileIsRead() throws {
        let settings = try Self.read(
            """
            data: /srv/broker
            broker_id: 4
            listeners:
              - name: public
                bind: 0.0.0.0:9092
                advertise: agg.example:9092
                allow_plaintext: true
              - bind: 127.0.0.1:9093
            topic_defaults:
              num.partitions: 3
              retention.ms: 604800000
            auto_create_topics: false
            offset_retention: 2d
            consumer_session_timeout: 30s
            consumer_heartbeat_interval: 1s
            transaction_timeout: 5m
            transactional_id_expiration: 3d
            hanging_transactions: 1m
            disk_reserve: 1GiB
            scrub_rate: 2MiB
            scrub_interval: 30d
            limits:
              producers_per_partition: 500
              transactional_ids: 70000
              request_bytes: 8MiB
              request_bytes_in_flight: 64MiB
              request_receive: 10s
              connections_per_address: 50
              fetch_sessions: 7
              fetch_session_partitions: 70
              fetch_wait: 30s
            """)
        #expect(settings.data.string == "/srv/broker")
        #expect(settings.brokerID == BrokerID(4))
        #expect(settings.listeners.map(\.name) == ["public", "listener2"])
        #expect(settings.listeners[0].advertise == Address(host: "agg.example", port: 9092))
        #expect(settings.partitionCountDefault == 3)
        #expect(settings.topicDefaults == ["retention.ms": "604800000"])
        #expect(!settings.createsTopics)
        #expect(settings.limits.requestBytesMax == .mib(8))
        #expect(settings.limits.requestBytesInFlightMax == .mib(64))
        #expect(settings.limits.requestReceiveMax == .seconds(10))
        #expect(settings.limits.connectionsPerAddressMax == 50)
        #expect(settings.limits.fetchSessionsMax == 7)
        #expect(settings.limits.fetchSessionPartitionsMax == 70)
        #expect(settings.offsetRetention == .seconds(172_800))
        #expect(settings.consumerSessionTimeout == .seconds(30))
        #expect(settings.consumerHeartbeatInterval == .seconds(1))
        #expect(settings.transactionTimeoutMax == .seconds(300))
        #expect(settings.transactionalIDExpiration == .seconds(3 * 86_400))
        #expect(settings.hangingTransactionAge == .seconds(60))
        #expect(settings.limits.transactionalIDsMax == 70_000)
        #expect(settings.limits.fetchWaitMax == .seconds(30))
        #expect(
            settings.scrubbing.bytesPerSecond == .mib(2) && settings.scrubbing.roundInterval == .seconds(30 * 86_400))
        #expect(settings.diskReserve == .gib(1) && settings.limits.producersPerPartitionMax == 500)
    }

    @Test func severalDataFoldersAreAList() throws {
        let settings = try Self.read("data: [/srv/a, /srv/b]")
        #expect(settings.data == "/srv/a" && settings.furtherData == ["/srv/b"])
        #expect(settings.logFolders == ["/srv/a/logs", "/srv/b/logs"])
        #expect(try Self.read("data: /srv/a").furtherData.isEmpty)
    }

    @Test func anEmptyFileListensOnTheLoopback() throws {
        let settings = try Self.read("data: /srv/broker")
        #expect(settings.listeners.map(\.bind) == [Address(host: "127.0.0.1", port: 9092)])
    }

    @Test(arguments: [
        ("listner: []", "did you mean 'listeners'"), ("listeners: [{bind: 0.0.0.0:9092}]", "allow_plaintext"),
        ("listeners: [{bind: 0.0.0.0:9092, allow_plaintext: true}]", "set advertise"),
        ("listeners: []", "at least one"),
        ("data: []", "names no folder"), ("data: [/a, /a/]", "twice"), ("data: [/a, /a/b]", "lies in another"),
        ("data: [/a, b]", "absolute"),
        ("topic_defaults: {retention.msec: 5}", "did you mean 'retention.ms'"),
        ("topic_defaults: {retention.ms: soon}", "retention.ms"), ("limits: {request_bytes: 1}", "64KiB"),
        ("listeners: [{bind: '127.0.0.1:x'}]", "HOST:PORT"),
    ]) func mistakesAreExplainedWithTheirPlace(text: String, expected: String) {
        let error = #expect(throws: SettingsError.self) { try Self.read(text) }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
        #expect(error?.description.hasPrefix("broker.yaml:1:") == true)
    }
}
