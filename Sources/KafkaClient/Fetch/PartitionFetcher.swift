import Base
import KafkaConnection
import KafkaWire
import Records
import Synchronization

/// Fetches partitions from their leaders, one request under way per broker, and puts what comes into a bounded queue.
///
/// A full queue holds the brokers' loops up: memory is `queueBytesMax` and one answer per broker, however much is waiting.
final class PartitionFetcher: Sendable {
    enum Arrival: Sendable {
        case data(FetchedPartition)
        case outOfRange(OffsetOutOfRange)
        /// The partition can't be read; it is left alone.
        case failed(TopicPartition, ClientError)
    }

    /// An arrival, and the start of its partition that it belongs to.
    struct Parcel: Sendable {
        var arrival: Arrival
        var partition: TopicPartition
        var run: UInt64
    }

    private enum Signal: Sendable { case planChanged, stop }

    private let cluster: KafkaCluster
    private let settings: FetchSettings
    private let lane: Lane
    private let plan: Mutex<FetchPlan>
    private let signals: Mailbox<Signal>
    /// Takes a parcel when there is room; false ends the fetching.
    private let deliver: @Sendable (Parcel, ByteCount) async -> Bool

    init(
        cluster: KafkaCluster, settings: FetchSettings, lane: Lane,
        deliver: @escaping @Sendable (Parcel, ByteCount) async -> Bool
    ) {
        self.cluster = cluster
        self.settings = settings
        self.lane = lane
        self.deliver = deliver
        plan = Mutex(FetchPlan(backoff: cluster.settings.backoff))
        signals = Mailbox(time: cluster.time)
    }

    // MARK: From any task

    /// Reads these partitions from these positions on; those that are read already begin anew.
    func start(_ positions: [TopicPartition: FetchPlan.Position]) {
        plan.withLock { $0.start(positions, now: cluster.time.now) }
        signals.send(.planChanged)
    }

    /// Reads a partition on from elsewhere; without effect where it is not read.
    func seek(_ partition: TopicPartition, to position: FetchPlan.Position) {
        plan.withLock { plan in
            if plan.run(of: partition) != nil { plan.start([partition: position], now: cluster.time.now) }
        }
        signals.send(.planChanged)
    }

    /// Reads a partition no further; what is under way still comes.
    func pause(_ partition: TopicPartition) { plan.withLock { $0.pause(partition) } }

    /// Reads nothing any more; what is under way is thrown away.
    func stopAll() {
        let partitions = plan.withLock { plan in
            defer { plan.stopAll() }
            return plan.partitions
        }
        for partition in partitions { cluster.trouble.forget(.partition(partition)) }
    }

    /// False for what came before its partition was stopped or started anew.
    func isCurrent(_ parcel: Parcel) -> Bool { plan.withLock { $0.isCurrent(parcel.partition, run: parcel.run) } }

    /// Ends `run`.
    func finish() { signals.send(.stop) }

    // MARK: Running

    /// Runs until `finish()` or until its task is cancelled.
    func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    await resolve()
                    for broker in plan.withLock({ $0.brokersToStart() }) {
                        group.addTask { await self.fetch(from: broker) }
                    }
                    let signals = await signals.next(until: plan.withLock { $0.resolveAt })
                    if signals.contains(.stop) { break }
                }
                stopAll()
                group.cancelAll()
            }
        } onCancel: {
            finish()
        }
        cluster.closeLane(lane)
    }

    /// Finds leaders, and offsets that are to be looked up.
    private func resolve() async {
        let now = cluster.time.now
        let unresolved = plan.withLock { $0.unresolved(now: now) }
        guard !unresolved.isEmpty else { return }
        var failure: ClientError?
        var view: ClusterView?
        var answers: [TopicPartition: OffsetAnswer]?
        do throws(ClientError) {
            view = try await cluster.metadata(for: Set(unresolved.keys.map(\.topic)).sorted())
            let queries = unresolved.compactMapValues { $0 }
            answers = queries.isEmpty ? [:] : try await cluster.offsets(queries, isolation: settings.isolation)
        } catch { failure = error }
        var replaced: [TopicPartition] = []
        var unfound: [TopicPartition] = []
        plan.withLock { plan in
            let now = cluster.time.now
            for (partition, query) in unresolved {
                let info = view?.partition(partition)
                let offset = answers?[partition]?.offset
                guard let info, let leader = info.leader, let topic = view?.topics[partition.topic],
                    query == nil || offset != nil
                else {
                    cluster.doubt(topic: partition.topic)
                    plan.resolveFailed(partition, now: now)
                    unfound.append(partition)
                    continue
                }
                let isSame = plan.leaderFound(
                    partition, leader: leader, epoch: info.leaderEpoch, topicID: topic.id, offset: offset)
                if !isSame { replaced.append(partition) }
            }
        }
        for partition in unfound { resolveFailed(partition, view, failure) }
        for partition in replaced { await topicReplaced(partition) }
    }

    /// Said where the cluster itself lacks what is asked for; brokers that don't answer are a trouble of their own.
    private func resolveFailed(_ partition: TopicPartition, _ view: ClusterView?, _ failure: ClientError?) {
        let error = failure?.kafkaError ?? view?.topicErrors[partition.topic]
        if failure != nil, error == nil { return }
        let reason =
            error.map { "the cluster answered \($0)" }
            ?? (view?.topics[partition.topic] == nil ? "the topic is not known" : "it has no leader now")
        cluster.trouble.failed(.partition(partition), form: reason, reason: reason)
    }

    private func topicReplaced(_ partition: TopicPartition) async {
        let text = "\(partition) was deleted and created again; its offsets mean other records now"
        let error = ClientError(.brokerError, text, kafkaError: .inconsistentTopicId)
        let run = plan.withLock { $0.run(of: partition) }
        if let run {
            _ = await deliver(Parcel(arrival: .failed(partition, error), partition: partition, run: run), .zero)
        }
    }

    // MARK: One broker

    private func fetch(from broker: BrokerID) async {
        while !Task.isCancelled {
            let items = plan.withLock { $0.items(for: broker) }
            guard !items.isEmpty else { return }
            do throws(ClientError) {
                let response = try await cluster.send(
                    request(for: items), to: .broker(broker), lane: lane,
                    // Topic ids came with v13; a cluster without them is asked by name.
                    versionMax: items.contains { $0.topicID == .zero } ? 12 : nil,
                    timeout: settings.waitMax + cluster.settings.connection.requestTimeout)
                if let error = ClientError(response.errorCode, "Fetch from broker \(broker)") { throw error }
                guard await take(response, items: items) else { break }
            } catch {
                if error.code == .unsupportedVersion, items.contains(where: { $0.lastEpoch != .none }) {
                    plan.withLock { $0.forgetEpochs() }
                    continue
                }
                lost(items)
                break
            }
        }
        plan.withLock { $0.loopEnded(broker) }
        signals.send(.planChanged)
    }

    private func lost(_ items: [FetchPlan.Item]) {
        for item in items { cluster.doubt(topic: item.partition.topic) }
        plan.withLock { plan in
            for item in items { plan.leaderLost(item, now: cluster.time.now) }
        }
        signals.send(.planChanged)
    }

    private func request(for items: [FetchPlan.Item]) -> FetchRequest {
        var request = FetchRequest()
        request.maxWaitMs = Int32(clamping: settings.waitMax.milliseconds)
        request.minBytes = Int32(clamping: settings.bytesMin.bytes)
        request.maxBytes = Int32(clamping: settings.responseBytesMax.bytes)
        request.isolationLevel = settings.isolation.rawValue
        var places: [String: Int] = [:]
        for item in items {
            let place = places[item.partition.topic] ?? request.topics.count
            if place == request.topics.count {
                places[item.partition.topic] = place
                var topic = FetchRequest.FetchTopic()
                topic.topic = item.partition.topic
                topic.topicId = item.topicID
                request.topics.append(topic)
            }
            var partition = FetchRequest.FetchPartition()
            partition.partition = item.partition.partition
            partition.currentLeaderEpoch = item.epoch.rawValue
            partition.lastFetchedEpoch = item.lastEpoch.rawValue
            partition.fetchOffset = item.offset.rawValue
            partition.partitionMaxBytes = Int32(clamping: settings.partitionBytesMax.bytes)
            request.topics[place].partitions.append(partition)
        }
        return request
    }

    /// Hands on what came. False where nobody takes it any more.
    private func take(_ response: FetchResponse, items: [FetchPlan.Item]) async -> Bool {
        let byPartition = Dictionary(uniqueKeysWithValues: items.map { ($0.partition, $0) })
        let names = Dictionary(items.map { ($0.topicID, $0.partition.topic) }, uniquingKeysWith: { first, _ in first })
        for topic in response.responses {
            let name = topic.topic.isEmpty ? names[topic.topicId] ?? "" : topic.topic
            for data in topic.partitions {
                let partition = TopicPartition(topic: name, partition: data.partitionIndex)
                guard let item = byPartition[partition] else { continue }
                guard await take(data, item: item) else { return false }
            }
        }
        return true
    }

    private func take(_ data: FetchResponse.PartitionData, item: FetchPlan.Item) async -> Bool {
        switch data.errorCode {
        case .none where data.divergingEpoch.endOffset < 0:
            cluster.trouble.worked(.partition(item.partition))
            return await takeRecords(data, item: item)
        // The log lost what was read before, and holds something else there: whoever reads has to know.
        case .none, .offsetOutOfRange:
            guard plan.withLock({ $0.pause(item) }) else { return true }
            let problem = OffsetOutOfRange(
                partition: item.partition, topicID: item.topicID, offset: item.offset,
                logStartOffset: Offset(data.logStartOffset), highWatermark: Offset(data.highWatermark))
            return await deliver(Parcel(arrival: .outOfRange(problem), partition: item.partition, run: item.run), .zero)
        case let error where error.isRetriable && error != .corruptMessage:
            // One wrong leader is how leaders move.
            if error != .notLeaderOrFollower {
                let reason = "its leader answered \(error)"
                cluster.trouble.failed(.partition(item.partition), form: reason, reason: reason)
            }
            lost([item])
            return true
        case let error:
            let text = "Fetch of \(item.partition) at offset \(item.offset): the broker answered \(error)"
            return await fail(item, ClientError(.brokerError, text, kafkaError: error))
        }
    }

    private func takeRecords(_ data: FetchResponse.PartitionData, item: FetchPlan.Item) async -> Bool {
        let reading: BatchReading
        do {
            reading = try BatchReading(
                data, from: item.offset, isolation: settings.isolation, checksCRC: settings.checksCRC)
        } catch {
            let text = "\(item.partition) at offset \(item.offset): \(error)"
            return await fail(item, ClientError(.corruptRecords, text, cause: error))
        }
        guard reading.nextOffset > item.offset else { return true }
        guard plan.withLock({ $0.fetched(item, nextOffset: reading.nextOffset, lastEpoch: reading.lastEpoch) }) else {
            return true
        }
        let fetched = FetchedPartition(
            partition: item.partition, topicID: item.topicID, leaderEpoch: item.epoch, startOffset: item.offset,
            nextOffset: reading.nextOffset, batches: reading.batches, highWatermark: Offset(data.highWatermark),
            lastStableOffset: Offset(data.lastStableOffset), logStartOffset: Offset(data.logStartOffset))
        return await deliver(
            Parcel(arrival: .data(fetched), partition: item.partition, run: item.run), fetched.byteCount)
    }

    private func fail(_ item: FetchPlan.Item, _ error: ClientError) async -> Bool {
        guard plan.withLock({ $0.pause(item) }) else { return true }
        return await deliver(
            Parcel(arrival: .failed(item.partition, error), partition: item.partition, run: item.run), .zero)
    }
}
