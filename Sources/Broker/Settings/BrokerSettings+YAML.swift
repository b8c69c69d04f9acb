import Base
import KafkaConnection
import LogStorage
import SecuritySettings
import Settings
import SystemPackage

extension BrokerSettings {
    /// Reads `broker.yaml`. Keys: `data` (a folder, or a list), `broker_id`, `listeners`, `topic_defaults` (Kafka's dotted names, and `num.partitions`),
    /// `auto_create_topics`, `offset_retention`, `consumer_session_timeout`, `consumer_heartbeat_interval`, `transaction_timeout`, `transactional_id_expiration`,
    /// `hanging_transactions`, `disk_lanes`, `disk_reserve`, `scrub_rate`, `scrub_interval`, `limits`.
    public init(yaml node: YAMLNode) throws(SettingsError) {
        var file = try node.mapping()
        let data = try file.strings("data") ?? ["/var/lib/millrace/broker"]
        guard let home = data.first else { throw SettingsError("data names no folder", at: node.place) }
        var listeners: [ListenerSettings] = []
        if let list = file.node("listeners") {
            for element in try list.sequence() {
                let listener = try ListenerSettings(yaml: element, number: listeners.count + 1)
                do throws(BrokerSettingsError) { try listener.validate() } catch {
                    throw SettingsError(error.message, at: element.place)
                }
                listeners.append(listener)
            }
        } else {
            listeners = [ListenerSettings(bind: Address(host: "127.0.0.1", port: Address.kafkaPort))]
        }
        self.init(data: FilePath(home), listeners: listeners)
        furtherData = data.dropFirst().map { FilePath($0) }
        brokerID = BrokerID(Int32(try file.int("broker_id", default: 1, in: 0...Int(Int32.max))))
        createsTopics = try file.bool("auto_create_topics", default: createsTopics)
        offsetRetention = try file.duration("offset_retention", default: offsetRetention)
        consumerSessionTimeout = try file.duration("consumer_session_timeout", default: consumerSessionTimeout)
        consumerHeartbeatInterval = try file.duration("consumer_heartbeat_interval", default: consumerHeartbeatInterval)
        transactionTimeoutMax = try file.duration("transaction_timeout", default: transactionTimeoutMax)
        transactionalIDExpiration = try file.duration(
            "transactional_id_expiration", default: transactionalIDExpiration)
        hangingTransactionAge = try file.duration("hanging_transactions", default: hangingTransactionAge)
        diskLanes = try file.int("disk_lanes", default: diskLanes, in: 1...64)
        diskReserve = try file.bytes("disk_reserve", default: diskReserve, in: .zero...ByteCount.gib(1024))
        scrubbing.bytesPerSecond = try file.bytes(
            "scrub_rate", default: scrubbing.bytesPerSecond, in: .zero...ByteCount.gib(16))
        scrubbing.roundInterval = try file.duration("scrub_interval", default: scrubbing.roundInterval)
        var defaults = try file.section("topic_defaults")
        try readTopicDefaults(&defaults)
        var limits = try file.section("limits")
        self.limits = try BrokerLimits(reading: &limits)
        try file.finish()
        do throws(BrokerSettingsError) { try validate() } catch { throw SettingsError(error.message, at: node.place) }
    }

    private mutating func readTopicDefaults(_ mapping: inout SettingsMapping) throws(SettingsError) {
        partitionCountDefault = Int32(
            try mapping.int("num.partitions", default: Int(partitionCountDefault), in: 1...1000))
        for name in LogConfig.settingNames + LogConfig.carriedSettingNames {
            guard let text = try mapping.string(name) else { continue }
            do throws(LogError) { _ = try LogConfig(topicSettings: [name: text]) } catch {
                throw SettingsError(error.message, at: mapping.node(name)?.place ?? mapping.place)
            }
            topicDefaults[name] = text
        }
        try mapping.finish()
    }
}

extension ListenerSettings {
    init(yaml node: YAMLNode, number: Int) throws(SettingsError) {
        var mapping = try node.mapping()
        let name = try mapping.string("name", default: number == 1 ? "main" : "listener\(number)")
        let bind = try Self.address(try mapping.required("bind"))
        self.init(name: name, bind: bind)
        if let node = mapping.node("advertise") { advertise = try Self.address(node) }
        allowsPlaintext = try mapping.bool("allow_plaintext", default: false)
        if let node = mapping.node("tls") { tls = try ServerTLSSettings(yaml: node) }
        if let node = mapping.node("sasl") { sasl = try Self.mechanisms(node) }
        if let node = mapping.node("reauthentication") {
            reauthentication = try node.duration(in: .seconds(1)...(.seconds(366 * 86400)))
        }
        try mapping.finish()
    }

    private static func mechanisms(_ node: YAMLNode) throws(SettingsError) -> [SaslMechanism] {
        var mechanisms: [SaslMechanism] = []
        for element in try node.sequence() {
            let mechanism = try element.choice(SaslMechanism.self)
            if !mechanisms.contains(mechanism) { mechanisms.append(mechanism) }
        }
        guard !mechanisms.isEmpty else { throw node.expected("at least one mechanism") }
        return mechanisms
    }

    private static func address(_ node: YAMLNode) throws(SettingsError) -> Address {
        guard let address = Address(try node.string()) else { throw node.expected("HOST:PORT") }
        return address
    }
}

extension BrokerLimits {
    init(reading mapping: inout SettingsMapping) throws(SettingsError) {
        self.init()
        let sizes = ByteCount.kib(64)...ByteCount.gib(1)
        requestBytesMax = try mapping.bytes("request_bytes", default: requestBytesMax, in: sizes)
        requestBytesInFlightMax = try mapping.bytes(
            "request_bytes_in_flight", default: requestBytesInFlightMax, in: sizes.lowerBound...ByteCount.gib(64))
        requestReceiveMax = try mapping.duration("request_receive", default: requestReceiveMax)
        connectionRequestsMax = try mapping.int("connection_requests", default: connectionRequestsMax, in: 1...10_000)
        connectionRequestBytesMax = try mapping.bytes(
            "connection_request_bytes", default: connectionRequestBytesMax, in: sizes)
        connectionsMax = try mapping.int("connections", default: connectionsMax, in: 1...1_000_000)
        connectionsPerAddressMax = try mapping.int(
            "connections_per_address", default: connectionsPerAddressMax, in: 1...1_000_000)
        connectionIdleMax = try mapping.duration("connection_idle", default: connectionIdleMax)
        authenticationMax = try mapping.duration(
            "authentication", default: authenticationMax, in: .milliseconds(100)...(.seconds(3600)))
        unauthenticatedMax = try mapping.int(
            "unauthenticated_connections", default: unauthenticatedMax, in: 1...1_000_000)
        fetchBytesMax = try mapping.bytes("fetch_bytes", default: fetchBytesMax, in: sizes)
        fetchWaitMax = try mapping.duration("fetch_wait", default: fetchWaitMax)
        waitingFetchesMax = try mapping.int("waiting_fetches", default: waitingFetchesMax)
        fetchSessionsMax = try mapping.int("fetch_sessions", default: fetchSessionsMax, in: 0...1_000_000)
        fetchSessionPartitionsMax = try mapping.int(
            "fetch_session_partitions", default: fetchSessionPartitionsMax, in: 0...100_000_000)
        diskJobsMax = try mapping.int("disk_jobs", default: diskJobsMax, in: 1...1_000_000)
        diskJobBytesMax = try mapping.bytes("disk_job_bytes", default: diskJobBytesMax, in: sizes)
        producersPerPartitionMax = try mapping.int(
            "producers_per_partition", default: producersPerPartitionMax, in: 1...10_000_000)
        transactionalIDsMax = try mapping.int(
            "transactional_ids", default: transactionalIDsMax, in: 1...10_000_000)
        usersMax = try mapping.int("users", default: usersMax, in: 1...1_000_000)
        topicsMax = try mapping.int("topics", default: topicsMax)
        partitionsMax = try mapping.int("partitions", default: partitionsMax)
        try mapping.finish()
    }
}
