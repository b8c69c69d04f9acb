import Base
import KafkaWire
import NIOCore
import Records
import Testing

@testable import KafkaClient

@Suite struct FetchPlanTests {
    private let a = TopicPartition(topic: "a", partition: 0)
    private let b = TopicPartition(topic: "b", partition: 3)
    private let id = TopicID(high: 1, low: 2)

    private func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int64(seconds * 1000)) }

    @Test func partitionsAreResolvedThenFetched() {
        var plan = FetchPlan()
        plan.start([a: .offset(Offset(5)), b: .query(.earliest)], now: .zero)
        let open = plan.unresolved(now: .zero)
        #expect(open.count == 2 && open[a] == .some(nil) && open[b] == .some(.earliest))
        #expect(plan.leaderFound(a, leader: BrokerID(1), epoch: LeaderEpoch(7), topicID: id, offset: nil) == true)
        #expect(
            plan.leaderFound(b, leader: BrokerID(1), epoch: LeaderEpoch(2), topicID: .zero, offset: Offset(40)) == true)
        #expect(plan.resolveAt == .distantFuture)
        #expect(plan.brokersToStart() == [BrokerID(1)])
        #expect(plan.brokersToStart() == [])
        let items = plan.items(for: BrokerID(1))
        #expect(Set(items.map(\.offset)) == [Offset(5), Offset(40)])
        #expect(items.first { $0.partition == a }?.epoch == LeaderEpoch(7))
        // Another one stands first the next time.
        #expect(plan.items(for: BrokerID(1)).first?.partition != items.first?.partition)
    }

    @Test func staleAnswersMoveNothing() {
        var plan = FetchPlan()
        plan.start([a: .offset(.zero)], now: .zero)
        _ = plan.leaderFound(a, leader: BrokerID(1), epoch: .none, topicID: .zero, offset: nil)
        let old = plan.items(for: BrokerID(1))[0]
        plan.start([a: .offset(Offset(100))], now: .zero)
        let isMoved = plan.fetched(old, nextOffset: Offset(9), lastEpoch: .none)
        let isPaused = plan.pause(old)
        #expect(!isMoved && !isPaused)
        _ = plan.leaderFound(a, leader: BrokerID(1), epoch: .none, topicID: .zero, offset: nil)
        #expect(plan.items(for: BrokerID(1))[0].offset == Offset(100))
        plan.stopAll()
        #expect(plan.items(for: BrokerID(1)) == [])
    }

    @Test func aPausedPartitionIsLeftAloneUntilItIsStartedAgain() {
        var plan = FetchPlan()
        plan.start([a: .offset(Offset(5)), b: .offset(Offset(6))], now: .zero)
        for partition in [a, b] {
            _ = plan.leaderFound(partition, leader: BrokerID(1), epoch: .none, topicID: .zero, offset: nil)
        }
        let item = plan.items(for: BrokerID(1)).first { $0.partition == a }
        plan.pause(a)
        #expect(plan.items(for: BrokerID(1)).map(\.partition) == [b])
        // A fetch that was under way: its answer still counts, its failure wakes nothing.
        if let item {
            let isMoved = plan.fetched(item, nextOffset: Offset(9), lastEpoch: .none)
            plan.leaderLost(item, now: .zero)
            #expect(isMoved)
        }
        #expect(plan.unresolved(now: at(1000)).isEmpty)
        plan.start([a: .offset(Offset(7))], now: .zero)
        _ = plan.leaderFound(a, leader: BrokerID(1), epoch: .none, topicID: .zero, offset: nil)
        #expect(plan.items(for: BrokerID(1)).first { $0.partition == a }?.offset == Offset(7))
    }

    @Test func theFirstFetchTellsWhatStoodBeforeItToo() {
        var plan = FetchPlan()
        plan.start([a: .offset(Offset(43), after: LeaderEpoch(1))], now: .zero)
        _ = plan.leaderFound(a, leader: BrokerID(1), epoch: LeaderEpoch(2), topicID: .zero, offset: nil)
        let item = plan.items(for: BrokerID(1))[0]
        #expect(item.offset == Offset(43) && item.lastEpoch == LeaderEpoch(1))
        _ = plan.fetched(item, nextOffset: Offset(50), lastEpoch: LeaderEpoch(2))
        #expect(plan.items(for: BrokerID(1))[0].lastEpoch == LeaderEpoch(2))
    }

    @Test func aLostLeaderIsLookedForWithBackoff() {
        var plan = FetchPlan(backoff: Backoff(first: .seconds(1), max: .seconds(10)))
        plan.start([a: .offset(Offset(3))], now: .zero)
        _ = plan.leaderFound(a, leader: BrokerID(1), epoch: .none, topicID: .zero, offset: nil)
        _ = plan.brokersToStart()
        let item = plan.items(for: BrokerID(1))[0]
        plan.leaderLost(item, now: .zero)
        #expect(plan.unresolved(now: .zero).isEmpty)
        #expect(plan.resolveAt > at(0.7) && plan.resolveAt < at(1.3))
        #expect(plan.items(for: BrokerID(1)) == [])
        plan.resolveFailed(a, now: at(1.3))
        #expect(plan.resolveAt > at(2.8))
        #expect(plan.unresolved(now: at(5)).count == 1)
        _ = plan.leaderFound(a, leader: BrokerID(2), epoch: .none, topicID: .zero, offset: nil)
        #expect(plan.brokersToStart() == [BrokerID(2)])
        #expect(plan.items(for: BrokerID(2))[0].offset == Offset(3))
    }

    @Test func aTopicThatWasMadeAnewIsNotTheSame() {
        var plan = FetchPlan()
        plan.start([a: .offset(.zero)], now: .zero)
        #expect(plan.leaderFound(a, leader: BrokerID(1), epoch: .none, topicID: id, offset: nil) == true)
        plan.leaderLost(plan.items(for: BrokerID(1))[0], now: .zero)
        #expect(
            plan.leaderFound(a, leader: BrokerID(1), epoch: .none, topicID: TopicID(high: 9, low: 9), offset: nil)
                == false)
        #expect(plan.items(for: BrokerID(1)) == [])
    }
}

@Suite struct BatchReadingTests {
    private func batch(
        _ base: Int64, count: Int = 2, producer: Int64 = -1, transactional: Bool = false, abort: Bool? = nil
    ) throws -> ByteBuffer {
        let key: [UInt8]? = abort.map { [0, 0, 0, $0 ? 0 : 1] }
        let records = (0..<count).map { _ in
            NewRecord(timestamp: Timestamp(milliseconds: 1), key: key, value: [1, 2, 3])
        }
        return try RecordBatch.build(
            records, baseOffset: Offset(base), producerID: ProducerID(producer),
            producerEpoch: producer < 0 ? .none : ProducerEpoch(0), baseSequence: producer < 0 ? -1 : 0,
            isTransactional: transactional, isControl: abort != nil
        ).bytes
    }

    private func data(
        _ batches: [ByteBuffer], aborted: [(producer: Int64, first: Int64)] = []
    ) -> FetchResponse.PartitionData {
        var data = FetchResponse.PartitionData()
        var bytes = ByteBuffer()
        for batch in batches { bytes.writeImmutableBuffer(batch) }
        data.records = .bytes(bytes)
        data.abortedTransactions = aborted.map {
            var transaction = FetchResponse.AbortedTransaction()
            transaction.producerId = $0.producer
            transaction.firstOffset = $0.first
            return transaction
        }
        return data
    }

    private func read(
        _ data: FetchResponse.PartitionData, from start: Int64 = 0, isolation: IsolationLevel = .readCommitted
    ) throws -> BatchReading {
        try BatchReading(data, from: Offset(start), isolation: isolation, checksCRC: true)
    }

    @Test func abortedTransactionsAreLeftOut() throws {
        // Producer 7 aborts 0–1, then commits 5–6; producer 8 commits in between.
        let batches = [
            try batch(0, producer: 7, transactional: true), try batch(2, producer: 8, transactional: true),
            try batch(4, count: 1, producer: 7, transactional: true, abort: true),
            try batch(5, producer: 7, transactional: true),
            try batch(7, count: 1, producer: 7, transactional: true, abort: false),
        ]
        let committed = try read(data(batches, aborted: [(7, 0)]))
        #expect(committed.batches.map(\.baseOffset) == [Offset(2), Offset(5)])
        #expect(committed.nextOffset == Offset(8))
        let all = try read(data(batches, aborted: [(7, 0)]), isolation: .readUncommitted)
        #expect(all.batches.map(\.baseOffset) == [Offset(0), Offset(2), Offset(5)])
    }

    @Test func aTransactionWithoutItsEndInSightStaysOut() throws {
        let reading = try read(data([try batch(10, producer: 7, transactional: true)], aborted: [(7, 3)]), from: 10)
        #expect(reading.batches.isEmpty && reading.nextOffset == Offset(12))
    }

    @Test func aTailThatWasCutIsLeftForTheNextFetch() throws {
        let whole = try batch(0)
        var cut = try batch(2)
        cut = cut.getSlice(at: cut.readerIndex, length: cut.readableBytes - 1)!
        let reading = try read(data([whole, cut]))
        #expect(reading.batches.count == 1 && reading.nextOffset == Offset(2))
        #expect(try read(data([cut]), from: 2).nextOffset == Offset(2))
    }

    @Test func batchesBelowTheStartAreNotGivenAgain() throws {
        let reading = try read(data([try batch(0), try batch(2, count: 4)]), from: 4)
        #expect(reading.batches.map(\.baseOffset) == [Offset(2)] && reading.nextOffset == Offset(6))
    }

    @Test func aChangedByteIsFound() throws {
        var bytes = try batch(0)
        bytes.setInteger(UInt8(0xff), at: bytes.writerIndex - 2)
        let broken = data([bytes])
        #expect(throws: RecordError.self) { try read(broken) }
    }
}

@Suite struct ClusterViewTests {
    private func response(leader: Int32, epoch: Int32, id: TopicID = TopicID(high: 1, low: 1)) -> MetadataResponse {
        var partition = MetadataResponse.MetadataResponsePartition()
        partition.leaderId = leader
        partition.leaderEpoch = epoch
        var topic = MetadataResponse.MetadataResponseTopic()
        topic.name = "t"
        topic.topicId = id
        topic.partitions = [partition]
        var response = MetadataResponse()
        response.topics = [topic]
        return response
    }

    private let partition = TopicPartition(topic: "t", partition: 0)

    @Test func anEarlierEpochIsOldNews() {
        var view = ClusterView()
        view.metadataReceived(response(leader: 2, epoch: 5), wantsAllTopics: false, now: .zero)
        view.metadataReceived(response(leader: 1, epoch: 4), wantsAllTopics: false, now: .zero)
        #expect(view.partition(partition)?.leader == BrokerID(2))
        view.metadataReceived(response(leader: 3, epoch: 6), wantsAllTopics: false, now: .zero)
        #expect(view.partition(partition)?.leader == BrokerID(3))
        view.metadataReceived(
            response(leader: 1, epoch: 0, id: TopicID(high: 2, low: 2)), wantsAllTopics: false, now: .zero)
        #expect(view.partition(partition)?.leader == BrokerID(1))
    }

    @Test func topicsAgeAndCanBeDoubted() {
        var view = ClusterView()
        view.metadataReceived(response(leader: -1, epoch: 5), wantsAllTopics: false, now: .zero)
        #expect(view.partition(partition)?.leader == nil)
        #expect(view.isFresh("t", ageMax: .seconds(10), now: .zero + .seconds(9)))
        #expect(!view.isFresh("t", ageMax: .seconds(10), now: .zero + .seconds(10)))
        view.topicDoubted("t")
        #expect(!view.isFresh("t", ageMax: .seconds(10), now: .zero))
    }

    @Test func aMissingTopicKeepsItsReason() {
        var view = ClusterView()
        view.metadataReceived(response(leader: 1, epoch: 5), wantsAllTopics: false, now: .zero)
        var gone = response(leader: 1, epoch: 5)
        gone.topics[0].errorCode = .unknownTopicOrPartition
        gone.topics[0].partitions = []
        view.metadataReceived(gone, wantsAllTopics: false, now: .zero)
        #expect(view.topics["t"] == nil && view.topicErrors["t"] == .unknownTopicOrPartition)
    }

    @Test func backoffDoublesUpToItsEnd() {
        var backoff = Backoff(first: .milliseconds(100), max: .seconds(1))
        let delays = (0..<8).map { _ in backoff.next() }
        #expect(delays[0] >= .milliseconds(80) && delays[0] <= .milliseconds(120))
        #expect(delays[2] >= .milliseconds(320) && delays[2] <= .milliseconds(480))
        #expect(delays.allSatisfy { $0 <= .milliseconds(1200) })
        backoff.reset()
        #expect(backoff.next() <= .milliseconds(120))
    }
}
