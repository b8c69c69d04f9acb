import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import Records
import Synchronization
import Testing

@testable import KafkaClient

/// Collects what it is given, and commits each delivery.
final class CollectingHandler: GroupConsumerHandler {
    struct Seen {
        var values: [TopicPartition: [String]] = [:]
        var calls: [String] = []
        var generations: Set<GroupGeneration> = []
        var held: Set<TopicPartition> = []
        var next: [TopicPartition: Offset] = [:]
        var outOfRange: [OffsetOutOfRange] = []
    }

    struct Hooks: Sendable {
        var fetched: @Sendable (FetchedPartition) async throws -> Void = { _ in }
        var starts: @Sendable ([TopicPartition]) -> [TopicPartition: StartPosition] = { _ in [:] }
        var outOfRange: OutOfRangeDecision?
    }

    enum Commits {
        case never, whenRevoked
        /// With each delivery, for coordinators that take no commits while they rebalance.
        case always
    }

    let consumer: GroupConsumer
    private let commits: Commits
    private let hooks: Hooks
    private let state = Mutex(Seen())

    init(_ consumer: GroupConsumer, commits: Commits = .whenRevoked, hooks: Hooks = Hooks()) {
        self.consumer = consumer
        self.commits = commits
        self.hooks = hooks
    }

    var seen: Seen { state.withLock { $0 } }
    var count: Int { state.withLock { $0.values.values.reduce(0) { $0 + $1.count } } }

    func assigned(
        _ partitions: [TopicPartition], generation: GroupGeneration
    ) async throws -> [TopicPartition: StartPosition] {
        state.withLock { state in
            state.calls.append("assigned \(partitions.map(\.partition))")
            state.generations.insert(generation)
            state.held = Set(partitions)
        }
        return hooks.starts(partitions)
    }

    func revoked(_ partitions: [TopicPartition], generation: GroupGeneration) async throws {
        let next = state.withLock { state in
            state.calls.append("revoked \(partitions.map(\.partition))")
            state.held = []
            defer { state.next = [:] }
            return state.next
        }
        if commits == .whenRevoked {
            try await consumer.commit(next.mapValues { CommittedOffset($0) }, generation: generation)
        }
    }

    func lost(_ partitions: [TopicPartition], generation: GroupGeneration) async throws {
        state.withLock { state in
            state.calls.append("lost \(partitions.map(\.partition))")
            state.held = []
            state.next = [:]
        }
    }

    func fetched(_ data: FetchedPartition) async throws {
        try await hooks.fetched(data)
        var values: [String] = []
        for batch in data.batches {
            var records = try batch.records(decompressedMax: .mib(16))
            while let record = try records.next() {
                if record.offset < data.startOffset { continue }
                values.append(record.value.map { String(buffer: $0) } ?? "")
            }
        }
        state.withLock { state in
            #expect(state.held.contains(data.partition), "\(data.partition) is not held")
            state.values[data.partition, default: []] += values
            state.next[data.partition] = data.nextOffset
        }
        if commits == .always {
            do throws(ClientError) {
                try await consumer.commit([data.partition: CommittedOffset(data.nextOffset)])
            } catch {
                guard error.code == .rebalancing || error.code == .fenced else { throw error }
            }
        }
    }

    func outOfRange(_ problem: OffsetOutOfRange) async throws -> OutOfRangeDecision {
        state.withLock { $0.outOfRange.append(problem) }
        guard let decision = hooks.outOfRange else {
            throw ClientError(.brokerError, "out of range: \(problem)", kafkaError: .offsetOutOfRange)
        }
        return decision
    }

    func wait(for count: Int) async throws {
        try await eventually {
            self.count >= count
        } _: {
            "\(self.count) of \(count) records; \(self.seen.calls)"
        }
    }
}

struct NotInTime: Error { let state: String }

/// Waits until the condition holds; fails after 20 seconds with what `state` says.
func eventually(
    _ condition: @escaping @Sendable () -> Bool, _ state: @Sendable () -> String = { "" }
) async throws {
    for _ in 0..<2000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw NotInTime(state: state())
}

@Suite(.timeLimit(.minutes(2))) struct GroupConsumerTests {
    private func settings() -> GroupConsumerSettings {
        var settings = GroupConsumerSettings(group: "g", topics: ["t"])
        settings.heartbeatInterval = .milliseconds(50)
        settings.fetch.waitMax = .milliseconds(100)
        return settings
    }

    private func partition(_ number: Int32) -> TopicPartition { TopicPartition(topic: "t", partition: number) }

    private func values(_ number: Int32, _ range: Range<Int>) -> [String] { range.map { "\(number)/\($0)" } }

    @Test func readsCommitsAndGoesOnWhereItLeftOff() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 3)
        for number in 0..<3 {
            try broker.append(values(Int32(number), 0..<10), to: partition(Int32(number)))
        }
        let cluster = broker.cluster()
        let first = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let run = Task { try await first.consumer.run(first) }
        try await first.wait(for: 30)
        first.consumer.stop()
        try await run.value
        #expect(first.seen.calls == ["assigned [0, 1, 2]", "revoked [0, 1, 2]"])
        #expect(broker.state.withLock { $0.committed["g"]?[partition(1)]?.offset } == Offset(10))

        try broker.append(values(1, 10..<15), to: partition(1))
        let second = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let again = Task { try await second.consumer.run(second) }
        try await second.wait(for: 5)
        again.cancel()
        try await again.value
        #expect(second.seen.values == [partition(1): values(1, 10..<15)])
        #expect(
            try await Admin(cluster).committedOffsets(group: "g", partitions: [partition(1)]).values.first?.offset
                == Offset(15))
        cluster.shutDown()
        await broker.stop()
    }

    @Test func membersShareAndHandOver() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 4)
        let clusters = [broker.cluster(), broker.cluster()]
        let first = CollectingHandler(GroupConsumer(cluster: clusters[0], settings: settings()))
        let second = CollectingHandler(GroupConsumer(cluster: clusters[1], settings: settings()))
        let runs = [Task { try await first.consumer.run(first) }]
        try await eventually { first.seen.held.count == 4 }
        for number in 0..<4 { try broker.append(values(Int32(number), 0..<50), to: partition(Int32(number))) }
        try await first.wait(for: 100)
        let late = Task { try await second.consumer.run(second) }
        try await eventually { first.seen.held.count == 2 && second.seen.held.count == 2 }
        for number in 0..<4 { try broker.append(values(Int32(number), 50..<100), to: partition(Int32(number))) }
        try await eventually { first.count + second.count >= 400 }
        first.consumer.stop()
        try await runs[0].value
        try await eventually { second.seen.held.count == 4 }
        for number in 0..<4 { try broker.append(values(Int32(number), 100..<120), to: partition(Int32(number))) }
        try await eventually { first.count + second.count >= 480 }
        second.consumer.stop()
        try await late.value
        // Every record once, in order, for each commit came before its hand-over.
        for number in 0..<4 {
            let all =
                first.seen.values[partition(Int32(number)), default: []]
                + second.seen.values[partition(Int32(number)), default: []]
            #expect(all == values(Int32(number), 0..<120))
        }
        for cluster in clusters { cluster.shutDown() }
        await broker.stop()
    }

    @Test func aFencedCommitIsRefusedAndThePartitionsAreLost() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        // What is committed below has to be there: whoever joins again reads on from it.
        try broker.append(values(0, 0..<1), to: partition(0))
        let cluster = broker.cluster()
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()), commits: .never)
        let run = Task { try await handler.consumer.run(handler) }
        try await eventually { handler.seen.held.count == 1 }
        let generation = try #require(handler.consumer.generation)
        let offsets = [partition(0): CommittedOffset(Offset(1))]
        try await handler.consumer.commit(offsets, generation: generation)
        broker.inject([.illegalGeneration], for: .offsetCommit)
        let error = await #expect(throws: ClientError.self) { try await handler.consumer.commit(offsets) }
        #expect(error?.code == .fenced && error?.kafkaError == .illegalGeneration)
        try await eventually { handler.seen.calls.contains("lost [0]") && handler.seen.held.count == 1 }
        #expect(handler.seen.generations.count == 2)
        // The old membership's commits are refused without asking anybody.
        let late = await #expect(throws: ClientError.self) {
            try await handler.consumer.commit(offsets, generation: generation)
        }
        #expect(late?.code == .fenced)
        let foreign = await #expect(throws: ClientError.self) {
            try await handler.consumer.commit([TopicPartition(topic: "u", partition: 0): CommittedOffset(.zero)])
        }
        #expect(foreign?.code == .fenced)
        broker.inject([.rebalanceInProgress], for: .offsetCommit)
        let rebalancing = await #expect(throws: ClientError.self) { try await handler.consumer.commit(offsets) }
        #expect(rebalancing?.code == .rebalancing)
        handler.consumer.stop()
        try await run.value
        cluster.shutDown()
        await broker.stop()
    }

    @Test func troubleOnTheWayLosesAndRepeatsNothing() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 2)
        broker.inject([.coordinatorNotAvailable, .coordinatorNotAvailable], for: .findCoordinator)
        broker.inject([.coordinatorLoadInProgress], for: .joinGroup)
        broker.inject([.rebalanceInProgress], for: .syncGroup)
        broker.inject([.notLeaderOrFollower], for: .listOffsets)
        broker.inject([.notLeaderOrFollower, .leaderNotAvailable, .unknownLeaderEpoch], for: .fetch)
        let cluster = broker.cluster()
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let run = Task { try await handler.consumer.run(handler) }
        for round in 0..<5 {
            for number in 0..<2 {
                try broker.append(values(Int32(number), round * 10..<(round + 1) * 10), to: partition(Int32(number)))
            }
            try await handler.wait(for: (round + 1) * 20)
            broker.dropConnections()
        }
        broker.inject([.coordinatorLoadInProgress, .notCoordinator], for: .offsetCommit)
        handler.consumer.stop()
        try await run.value
        for number in 0..<2 { #expect(handler.seen.values[partition(Int32(number))] == values(Int32(number), 0..<50)) }
        #expect(broker.state.withLock { $0.committed["g"]?[partition(1)]?.offset } == Offset(50))
        cluster.shutDown()
        await broker.stop()
    }

    /// A member that can't join retries for ever; it says so once for each form of its trouble, and once when it is over.
    @Test func aGroupThatCannotBeJoinedIsSaid() async throws {
        let log = RecordedLog()
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 2)
        broker.inject(Array(repeating: .coordinatorNotAvailable, count: 5), for: .findCoordinator)
        broker.inject(Array(repeating: .coordinatorLoadInProgress, count: 6), for: .joinGroup)
        let cluster = broker.cluster(telemetry: log.telemetry)
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let run = Task { try await handler.consumer.run(handler) }
        try await eventually { handler.consumer.trouble?.contains("COORDINATOR_NOT_AVAILABLE") == true }
        try await eventually { handler.consumer.trouble?.contains("COORDINATOR_LOAD_IN_PROGRESS") == true }
        try await eventually { handler.seen.held.count == 2 }
        #expect(handler.consumer.trouble == nil && cluster.troubles.isEmpty)
        let warnings = log.lines.filter { $0.hasPrefix("warning") }
        #expect(warnings.count == 2, "\(log.lines)")
        #expect(warnings.allSatisfy { $0.contains("group g: ") && $0.contains("it is tried again") })
        #expect(log.lines.contains("info: group g: works again after 11 failed tries"))
        #expect(
            log.lines.contains { $0.hasPrefix("info: group g: joined, generation 1") && $0.hasSuffix("2 partitions") })
        #expect(log.metrics.counter("millrace_client_failures_total", [("of", "group")]).value == 11)
        #expect(log.metrics.counter("millrace_client_group_joins_total", [("group", "g")]).value == 1)
        handler.consumer.stop()
        try await run.value
        cluster.shutDown()
        await broker.stop()
    }

    @Test func aMembershipThatIsLostIsSaid() async throws {
        let log = RecordedLog()
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        let cluster = broker.cluster(telemetry: log.telemetry)
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let run = Task { try await handler.consumer.run(handler) }
        try await eventually { handler.seen.held.count == 1 }
        broker.inject([.illegalGeneration], for: .heartbeat)
        try await eventually { handler.seen.calls.filter { $0.hasPrefix("assigned") }.count == 2 }
        #expect(log.lines.contains { $0.hasPrefix("warning: group g: the membership ended (generation 1") })
        #expect(log.metrics.counter("millrace_client_memberships_lost_total", [("group", "g")]).value == 1)
        handler.consumer.stop()
        try await run.value
        cluster.shutDown()
        await broker.stop()
    }

    @Test func aPartitionThatIsNotServedIsSaid() async throws {
        let log = RecordedLog()
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        try broker.append(values(0, 0..<5), to: partition(0))
        broker.inject([.kafkaStorageError, .kafkaStorageError, .kafkaStorageError], for: .fetch)
        let cluster = broker.cluster(telemetry: log.telemetry)
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let run = Task { try await handler.consumer.run(handler) }
        try await handler.wait(for: 5)
        #expect(
            log.lines.filter { $0.hasPrefix("warning: partition t-0: its leader answered KAFKA_STORAGE_ERROR") }.count
                == 1)
        #expect(log.lines.contains("info: partition t-0: works again after 3 failed tries"))
        handler.consumer.stop()
        try await run.value
        cluster.shutDown()
        await broker.stop()
    }

    /// The latest that both sides have; not, though, what librdkafka's mock cluster claims and does not read.
    @Test func groupRequestsGoInTheLatestCommonVersion() throws {
        func versions(_ ranges: [(ApiKey, ClosedRange<Int16>)]) -> NegotiatedVersions {
            var response = ApiVersionsResponse()
            response.apiKeys = ranges.map { key, range in
                var api = ApiVersionsResponse.ApiVersion()
                api.apiKey = key.rawValue
                api.minVersion = range.lowerBound
                api.maxVersion = range.upperBound
                return api
            }
            return NegotiatedVersions(response)
        }
        func picked(_ versions: NegotiatedVersions) throws -> [Int16] {
            try [
                GroupCoordinatorCalls.version(of: JoinGroupRequest.self, versions),
                GroupCoordinatorCalls.version(of: SyncGroupRequest.self, versions),
                GroupCoordinatorCalls.version(of: HeartbeatRequest.self, versions),
                GroupCoordinatorCalls.version(of: LeaveGroupRequest.self, versions),
            ]
        }
        let kafka = versions([(.joinGroup, 0...9), (.syncGroup, 0...5), (.heartbeat, 0...4), (.leaveGroup, 0...5)])
        #expect(try picked(kafka) == [9, 5, 3, 5])
        let mock = versions([(.joinGroup, 0...6), (.syncGroup, 0...4), (.heartbeat, 0...5), (.leaveGroup, 0...4)])
        #expect(try picked(mock) == [5, 3, 3, 2])
        let old = versions([(.joinGroup, 0...4), (.syncGroup, 0...2), (.heartbeat, 0...2), (.leaveGroup, 0...2)])
        #expect(try picked(old) == [4, 2, 2, 2])
        // One that has only the later ones means them.
        let new = versions([(.joinGroup, 6...6), (.syncGroup, 4...4), (.heartbeat, 4...4), (.leaveGroup, 4...4)])
        #expect(try picked(new) == [6, 4, 4, 4])
    }

    /// The last commit comes too late: the partitions are lost, the run goes on.
    @Test func aCommitRefusedWhileRevokingDoesNotEndTheRun() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        try broker.append(values(0, 0..<5), to: partition(0))
        let cluster = broker.cluster()
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let run = Task { try await handler.consumer.run(handler) }
        try await handler.wait(for: 5)
        broker.inject([.rebalanceInProgress], for: .offsetCommit)
        broker.inject([.rebalanceInProgress], for: .heartbeat)
        // Nothing was committed, so it begins again.
        try await handler.wait(for: 10)
        #expect(handler.seen.calls == ["assigned [0]", "revoked [0]", "lost [0]", "assigned [0]"])
        handler.consumer.stop()
        try await run.value
        cluster.shutDown()
        await broker.stop()
    }

    @Test func anOffsetOutOfRangeIsTheHandlersToDecide() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        try broker.append(values(0, 0..<5), to: partition(0))
        let cluster = broker.cluster()
        var hooks = CollectingHandler.Hooks(starts: { [$0[0]: .offset(Offset(100))] })
        hooks.outOfRange = .seek(.earliest)
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()), hooks: hooks)
        let run = Task { try await handler.consumer.run(handler) }
        try await handler.wait(for: 5)
        #expect(handler.seen.outOfRange.map(\.offset) == [Offset(100)])
        #expect(handler.seen.outOfRange.first?.highWatermark == Offset(5))
        handler.consumer.stop()
        try await run.value

        hooks.outOfRange = nil
        let strict = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()), hooks: hooks)
        let error = await #expect(throws: ClientError.self) { try await strict.consumer.run(strict) }
        #expect(error?.kafkaError == .offsetOutOfRange)
        #expect(strict.seen.calls == ["assigned [0]", "lost [0]"])
        cluster.shutDown()
        await broker.stop()
    }

    @Test func aHandlersErrorEndsTheRunWithoutACommit() async throws {
        struct Broken: Error {}
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        try broker.append(values(0, 0..<5), to: partition(0))
        let cluster = broker.cluster()
        let handler = CollectingHandler(
            GroupConsumer(cluster: cluster, settings: settings()),
            hooks: CollectingHandler.Hooks(fetched: { _ in throw Broken() }))
        await #expect(throws: Broken.self) { try await handler.consumer.run(handler) }
        #expect(handler.seen.calls == ["assigned [0]", "lost [0]"])
        #expect(broker.state.withLock { $0.committed["g"] } == nil)
        #expect(broker.state.withLock { $0.groups["g"]?.members } == [])
        cluster.shutDown()
        await broker.stop()
    }

    @Test func aSlowHandlerHoldsTheFetchingUp() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        let value = String(repeating: "x", count: 10_000)
        for _ in 0..<100 { try broker.append([value], to: partition(0)) }
        let cluster = broker.cluster()
        var settings = settings()
        settings.fetch.partitionBytesMax = .kib(20)
        settings.fetch.queueBytesMax = .kib(50)
        let isOpen = Mutex(false)
        let handler = CollectingHandler(
            GroupConsumer(cluster: cluster, settings: settings),
            hooks: CollectingHandler.Hooks(fetched: { _ in try await eventually { isOpen.withLock { $0 } } }))
        let run = Task { try await handler.consumer.run(handler) }
        try await eventually { handler.consumer.queuedBytes > .zero }
        try await Task.sleep(for: .milliseconds(300))
        #expect(handler.consumer.queuedBytes <= .kib(50))
        // In the handler's hands, in the queue, and one answer in the fetcher's.
        #expect(broker.state.withLock { $0.counts[.fetch] ?? 0 } <= 6)
        isOpen.withLock { $0 = true }
        try await handler.wait(for: 100)
        handler.consumer.stop()
        try await run.value
        cluster.shutDown()
        await broker.stop()
    }

    @Test func aRefusedGroupEndsTheRun() async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        broker.inject([.groupAuthorizationFailed], for: .joinGroup)
        let cluster = broker.cluster()
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()))
        let error = await #expect(throws: ClientError.self) { try await handler.consumer.run(handler) }
        #expect(error?.kafkaError == .groupAuthorizationFailed)
        cluster.shutDown()
        await broker.stop()
    }

    /// At any moment: when it holds its partition but does not know yet where to begin, and later.
    @Test(arguments: [false, true]) func itStopsAlthoughTheBrokerIsGone(isFetching: Bool) async throws {
        let broker = try await FakeBroker.start()
        broker.createTopic("t", partitions: 1)
        let cluster = broker.cluster()
        let handler = CollectingHandler(GroupConsumer(cluster: cluster, settings: settings()), commits: .never)
        let run = Task { try await handler.consumer.run(handler) }
        try await eventually { handler.seen.held.count == 1 }
        if isFetching { try await eventually { broker.state.withLock { $0.counts[.fetch] ?? 0 } > 0 } }
        await broker.stop()
        handler.consumer.stop()
        try await run.value
        #expect(handler.seen.calls == ["assigned [0]", "revoked [0]"])
        cluster.shutDown()
    }
}
