import Base
import GroupCoordination
import KafkaWire
import LogStorage
import Synchronization
import Telemetry

/// The topics that this broker serves: read by every request, changed one change at a time.
///
/// A change is durable in the metadata store before any folder follows it, and folders are brought into line when the broker starts:
/// so a crash at any moment leaves either the old topics or the new ones.
final class TopicCatalog: Sendable {
    private struct Snapshot {
        var byName: [String: Topic] = [:]
        var namesByID: [TopicID: String] = [:]
        var partitionCount = 0
        /// The same for consumer groups, which look for changes by its version.
        var image = TopicImage()
    }

    private let snapshot = Mutex(Snapshot())
    private let changes = ChangeQueue()
    private let store: any MetadataStore
    private let folders: PartitionFolders
    private let settings: BrokerSettings
    private let fetches: WaitingFetches
    private let telemetry: Telemetry
    private let partitionGauge: GaugeHandle

    init(
        store: any MetadataStore, folders: PartitionFolders, settings: BrokerSettings, fetches: WaitingFetches,
        telemetry: Telemetry
    ) {
        self.store = store
        self.folders = folders
        self.settings = settings
        self.fetches = fetches
        self.telemetry = telemetry
        partitionGauge = telemetry.metrics.gauge(BrokerMetrics.partitions)
    }

    // MARK: Reading

    func topic(named name: String) -> Topic? { snapshot.withLock { $0.byName[name] } }

    func topic(id: TopicID) -> Topic? {
        snapshot.withLock { snapshot in snapshot.namesByID[id].flatMap { snapshot.byName[$0] } }
    }

    /// By name.
    var topics: [Topic] { snapshot.withLock { Array($0.byName.values) }.sorted { $0.name < $1.name } }

    var partitionCount: Int { snapshot.withLock { $0.partitionCount } }

    var image: TopicImage { snapshot.withLock { $0.image } }

    /// Nil where there is no such partition, or it is offline.
    func partition(_ id: TopicPartition) -> Partition? {
        guard let topic = topic(named: id.topic), topic.partitions.indices.contains(Int(id.partition)) else {
            return nil
        }
        return topic.partitions[Int(id.partition)]
    }

    // MARK: Changing

    /// What a topic is to be made of.
    struct Order: Sendable {
        var name: String
        /// Nil takes the broker's default.
        var partitionCount: Int32?
        var settings: [String: String] = [:]
    }

    /// Throws where the order can't be carried out, without carrying it out. Races are found when it is.
    func check(_ order: Order) throws(TopicError) -> (partitionCount: Int32, config: LogConfig) {
        if let fault = TopicName.fault(in: order.name) { throw TopicError(.invalidTopicException, fault) }
        let count = order.partitionCount ?? settings.partitionCountDefault
        let (topicCount, partitionCount, isTaken) = snapshot.withLock {
            ($0.byName.count, $0.partitionCount, $0.byName[order.name] != nil)
        }
        guard !isTaken else { throw TopicError(.topicAlreadyExists, "topic '\(order.name)' exists already") }
        guard count >= 1 else {
            throw TopicError(.invalidPartitions, "a topic has at least one partition, not \(count)")
        }
        guard topicCount < settings.limits.topicsMax else {
            throw TopicError(
                .policyViolation, "this broker serves at most \(settings.limits.topicsMax) topics (limits: topics)")
        }
        guard partitionCount + Int(count) <= settings.limits.partitionsMax else {
            throw TopicError(
                .policyViolation,
                "\(count) more partitions would be more than \(settings.limits.partitionsMax) (limits: partitions)")
        }
        return (count, try config(order.settings))
    }

    /// Makes the topic and returns it once it survives a crash.
    func create(_ order: Order) async throws(TopicError) -> Topic {
        try await change { () async throws(TopicError) in
            let (count, config) = try self.check(order)
            let record = ClusterMetadata.Topic(
                name: order.name, id: .random(), partitionCount: count, settings: order.settings)
            try await self.apply(.topicCreated(record))
            let partitions: [Partition?]
            do throws(LogError) {
                partitions = try await self.folders.make(record, from: 0, config: config)
            } catch {
                // Without folders there is nothing to keep: take the topic back, so that the client may try again.
                try await self.apply(.topicDeletionBegun(record.id))
                await self.finishDeletion(record, isNew: true)
                throw TopicError(ErrorCode(error.code), "the topic's folders can't be made: \(error.message)")
            }
            let topic = Topic(name: record.name, id: record.id, settings: record.settings, partitions: partitions)
            self.install(topic)
            self.telemetry.emit(TopicCreated(topic: topic.name, partitionCount: count))
            return topic
        }
    }

    /// The topic, which is made where it is missing. For topics that clients only ask for, and for the broker's own.
    func findOrCreate(_ order: Order) async throws(TopicError) -> Topic {
        if let topic = topic(named: order.name) { return topic }
        do { return try await create(order) } catch {
            if error.code == .topicAlreadyExists, let topic = topic(named: order.name) { return topic }
            throw error
        }
    }

    /// Removes the topic; returns when it is gone for every client and stays gone. The files follow.
    func delete(_ id: TopicID) async throws(TopicError) {
        try await change { () async throws(TopicError) in
            guard let topic = self.topic(id: id) else { throw TopicError(.unknownTopicId, "no topic has the id \(id)") }
            try await self.apply(.topicDeletionBegun(id))
            self.remove(topic)
            for partition in topic.partitions.compactMap(\.self) {
                partition.markDeleted()
                self.fetches.interrupted(partition)
            }
            self.telemetry.emit(TopicDeleted(topic: topic.name))
            await self.finishDeletion(
                ClusterMetadata.Topic(name: topic.name, id: id, partitionCount: Int32(topic.partitions.count)))
        }
    }

    /// Throws where the topic can't grow to `newCount` partitions, without letting it.
    func checkGrowth(of name: String, to newCount: Int32) throws(TopicError) -> Topic {
        guard let topic = topic(named: name) else {
            throw TopicError(.unknownTopicOrPartition, "there is no topic '\(name)'")
        }
        let count = topic.partitions.count
        guard newCount > count else {
            throw TopicError(
                .invalidPartitions, "the topic has \(count) partitions already; their number can only grow")
        }
        guard partitionCount + Int(newCount) - count <= settings.limits.partitionsMax else {
            throw TopicError(
                .invalidPartitions, "this broker serves at most \(settings.limits.partitionsMax) partitions")
        }
        return topic
    }

    func addPartitions(to name: String, newCount: Int32) async throws(TopicError) {
        try await change { () async throws(TopicError) in
            let topic = try self.checkGrowth(of: name, to: newCount)
            let record = ClusterMetadata.Topic(
                name: name, id: topic.id, partitionCount: newCount, settings: topic.settings)
            let config = try self.config(topic.settings)
            try await self.apply(.partitionsAdded(topic.id, newCount: newCount))
            do throws(LogError) {
                let added = try await self.folders.make(record, from: Int32(topic.partitions.count), config: config)
                self.install(
                    Topic(
                        name: name, id: topic.id, settings: topic.settings, partitions: topic.partitions + added))
            } catch {
                // The store says that they are there; the next start makes them.
                throw TopicError(ErrorCode(error.code), "the partitions' folders can't be made: \(error.message)")
            }
        }
    }

    /// Replaces the topic's own settings.
    func replaceSettings(of name: String, with newSettings: [String: String]) async throws(TopicError) {
        try await change { () async throws(TopicError) in
            guard let topic = self.topic(named: name) else {
                throw TopicError(.unknownTopicOrPartition, "there is no topic '\(name)'")
            }
            let config = try self.config(newSettings)
            try await self.apply(.topicSettingsReplaced(topic.id, newSettings))
            for partition in topic.partitions.compactMap(\.self) { partition.log.config = config }
            self.install(Topic(name: name, id: topic.id, settings: newSettings, partitions: topic.partitions))
        }
    }

    /// What a topic with these settings of its own comes to.
    func config(_ own: [String: String]) throws(TopicError) -> LogConfig {
        do throws(LogError) {
            return try LogConfig(topicSettings: settings.topicDefaults.merging(own) { _, own in own })
        } catch { throw TopicError(.invalidConfig, error.message) }
    }

    // MARK: Starting

    /// Brings folders and metadata into line: finishes deletions, makes what is missing, and, where the metadata was lost, finds the
    /// topics again by their folders.
    func open(_ loaded: LoadedMetadata) async throws(MetadataStoreError) {
        var metadata = loaded.metadata
        for topic in metadata.deletions.values { await finishDeletion(topic) }
        let strays = await folders.found.filter { metadata.topics[$0.key.topic]?.id != $0.value }
        if loaded.origin != .stored {
            for topic in Self.topics(of: strays) where metadata.topics[topic.name] == nil {
                metadata = try await store.apply(.topicCreated(topic))
            }
        }
        for (id, topicID) in strays.sorted(by: { $0.key < $1.key }) where metadata.topics[id.topic]?.id != topicID {
            telemetry.emit(StrayFolderFound(partition: id, topicID: topicID))
        }
        if case .rebuilt(let reason) = loaded.origin {
            telemetry.emit(MetadataRebuilt(reason: reason, topicCount: metadata.topics.count))
        }
        for record in metadata.topics.values { install(await folders.open(record, config: startConfig(record))) }
    }

    /// Settings that were taken once but are refused now (by an older version) must not keep the broker from starting.
    private func startConfig(_ topic: ClusterMetadata.Topic) -> LogConfig {
        do { return try config(topic.settings) } catch {
            telemetry.emit(
                Note("topic \(topic.name) runs on default settings: \(error.message)", level: .error))
            return (try? config([:])) ?? LogConfig()
        }
    }

    private static func topics(
        of folders: [(key: TopicPartition, value: TopicID)]
    ) -> [ClusterMetadata.Topic] {
        var topics: [TopicID: ClusterMetadata.Topic] = [:]
        for (id, topicID) in folders {
            let count = max(id.partition + 1, topics[topicID]?.partitionCount ?? 0)
            // The broker's own settings are known; without them committed offsets would be deleted by age.
            let settings = id.topic == OffsetsTopic.name ? OffsetsTopic.settings : [:]
            topics[topicID] = ClusterMetadata.Topic(
                name: id.topic, id: topicID, partitionCount: count, settings: settings)
        }
        return topics.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    // MARK: Parts

    private func change<Value: Sendable>(
        _ body: @escaping @Sendable () async throws(TopicError) -> Value
    ) async throws(TopicError) -> Value {
        let outcome = await changes.run { () async -> Result<Value, TopicError> in
            do throws(TopicError) { return .success(try await body()) } catch { return .failure(error) }
        }
        guard let outcome else {
            throw TopicError(.requestTimedOut, "too many changes of topics wait for their turn; try again")
        }
        return try outcome.get()
    }

    private func apply(_ change: MetadataChange) async throws(TopicError) {
        do { _ = try await store.apply(change) } catch { throw TopicError(error) }
    }

    /// A deletion that fails here is finished at the next start.
    private func finishDeletion(_ topic: ClusterMetadata.Topic, isNew: Bool = false) async {
        do {
            try await folders.remove(topic, isNew: isNew)
            _ = try await store.apply(.topicDeletionFinished(topic.id))
        } catch {
            telemetry.emit(
                Note("the folders of deleted topic \(topic.name) stay until the next start: \(error)", level: .warning))
        }
    }

    private func install(_ topic: Topic) {
        let count = snapshot.withLock { snapshot in
            let old = snapshot.byName.updateValue(topic, forKey: topic.name)
            snapshot.image[topic.name] = TopicImage.Topic(
                id: topic.id, partitionCount: Int32(topic.partitions.count), isInternal: topic.isInternal)
            snapshot.namesByID[topic.id] = topic.name
            snapshot.partitionCount += topic.partitions.count - (old?.partitions.count ?? 0)
            return snapshot.partitionCount
        }
        partitionGauge.set(count)
    }

    private func remove(_ topic: Topic) {
        let count = snapshot.withLock { snapshot in
            snapshot.byName[topic.name] = nil
            snapshot.image[topic.name] = nil
            snapshot.namesByID[topic.id] = nil
            snapshot.partitionCount -= topic.partitions.count
            return snapshot.partitionCount
        }
        partitionGauge.set(count)
    }
}
