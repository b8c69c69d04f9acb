import Base
import BrokerTestKit
import GroupCoordination
import KafkaWire
import LogStorage
import NIOCore
import Records
import Testing

@testable import Broker

extension WireSocket {
    /// A transactional producer's id and epoch; asks again while the coordinator is busy.
    fileprivate func initialise(
        _ id: String, timeout: Int32 = 60_000, expected: (Int64, Int16)? = nil
    ) async throws -> InitProducerIdResponse {
        var request = InitProducerIdRequest()
        request.transactionalId = id
        request.transactionTimeoutMs = timeout
        if let expected { (request.producerId, request.producerEpoch) = expected }
        return try await patiently {
            try await self.call(request, version: 5)
        } until: {
            ![.concurrentTransactions, .coordinatorLoadInProgress].contains($0.errorCode)
        }
    }

    fileprivate func patiently<Value>(
        _ body: () async throws -> Value, until isDone: (Value) -> Bool
    ) async throws -> Value {
        for _ in 0..<1000 {
            let value = try await body()
            if isDone(value) { return value }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw TestTimeout()
    }

    fileprivate func write(
        _ word: String, to topic: String, as producer: InitProducerIdResponse, epoch: Int16? = nil, sequence: Int32,
        id: String, version: Int16
    ) async throws -> ErrorCode {
        let batch = try RecordBatch.build(
            [NewRecord(timestamp: SystemTime().wallTime, value: Array(word.utf8))],
            producerID: ProducerID(producer.producerId),
            producerEpoch: ProducerEpoch(epoch ?? producer.producerEpoch), baseSequence: sequence,
            isTransactional: true)
        var request = Requests.produce(batch.bytes, to: topic)
        request.transactionalId = id
        return try await call(request, version: version).responses[0].partitionResponses[0].errorCode
    }

    fileprivate func end(
        _ id: String, _ producer: InitProducerIdResponse, epoch: Int16? = nil, commits: Bool, version: Int16
    ) async throws -> EndTxnResponse {
        var request = EndTxnRequest()
        request.transactionalId = id
        request.producerId = producer.producerId
        request.producerEpoch = epoch ?? producer.producerEpoch
        request.committed = commits
        return try await call(request, version: version)
    }

    fileprivate func add(
        _ topic: String, _ id: String, _ producer: InitProducerIdResponse, partitions: [Int32] = [0]
    ) async throws -> [ErrorCode] {
        var added = AddPartitionsToTxnRequest.AddPartitionsToTxnTopic()
        added.name = topic
        added.partitions = partitions
        var request = AddPartitionsToTxnRequest()
        request.v3AndBelowTransactionalId = id
        request.v3AndBelowProducerId = producer.producerId
        request.v3AndBelowProducerEpoch = producer.producerEpoch
        request.v3AndBelowTopics = [added]
        return try await call(request, version: 3).resultsByTopicV3AndBelow[0].resultsByPartition
            .map(\.partitionErrorCode)
    }

    fileprivate func committedWords(_ topic: String) async throws -> [String] {
        var request = Requests.fetch(topic, from: 0)
        request.isolationLevel = 1
        let data = try await call(request, version: 12).responses[0].partitions[0]
        var aborted = (data.abortedTransactions ?? []).sorted { $0.firstOffset < $1.firstOffset }[...]
        var hidden: Set<Int64> = []
        var found: [String] = []
        var cursor = RecordBatchCursor(data.records?.bytes ?? ByteBuffer())
        while let batch = try cursor.next() {
            while let next = aborted.first, next.firstOffset <= batch.lastOffset.rawValue {
                hidden.insert(next.producerId)
                aborted.removeFirst()
            }
            if batch.isControl {
                if TransactionMarker(batch)?.commits == false { hidden.remove(batch.producerID.rawValue) }
                continue
            }
            if batch.isTransactional, hidden.contains(batch.producerID.rawValue) { continue }
            var records = try batch.records(decompressedMax: .mib(1))
            while let record = try records.next() { found.append(String(buffer: record.value ?? ByteBuffer())) }
        }
        return found
    }

    fileprivate func state(of id: String) async throws -> DescribeTransactionsResponse.TransactionState {
        var request = DescribeTransactionsRequest()
        request.transactionalIds = [id]
        return try await call(request, version: 0).transactionStates[0]
    }
}

private struct TestTimeout: Error {}

struct TransactionTests {
    @Test func theFirstProtocolAddsItsPartitionsBeforeItWrites() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let producer = try await socket.initialise("x")
            #expect(producer.errorCode == .none && producer.producerEpoch == 0)
            let early = try await socket.write("early", to: "t", as: producer, sequence: 0, id: "x", version: 11)
            #expect(early == .invalidTxnState)
            #expect(
                try await socket.add("t", "x", producer, partitions: [0, 7]) == [
                    .operationNotAttempted, .unknownTopicOrPartition,
                ])
            #expect(try await socket.add("t", "x", producer) == [.none])
            #expect(try await socket.state(of: "x").transactionState == "Ongoing")
            #expect(try await socket.write("a", to: "t", as: producer, sequence: 0, id: "x", version: 11) == .none)
            #expect(try await socket.committedWords("t") == [])
            #expect(try await socket.end("x", producer, commits: true, version: 4).errorCode == .none)
            _ = try await socket.patiently {
                try await socket.committedWords("t")
            } until: {
                $0 == ["a"]
            }
            let state = try await socket.patiently {
                try await socket.state(of: "x")
            } until: {
                $0.transactionState == "CompleteCommit"
            }
            #expect(state.producerEpoch == 0 && state.topics.isEmpty)
            // Ended once more, as a client does whose answer was lost; and otherwise than it was.
            #expect(try await socket.end("x", producer, commits: true, version: 4).errorCode == .none)
            #expect(try await socket.end("x", producer, commits: false, version: 4).errorCode == .invalidTxnState)
        }
    }

    @Test func theSecondProtocolAddsPartitionsAsItWritesAndRaisesTheEpochAtEachEnd() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            var versions = ApiVersionsRequest()
            versions.clientSoftwareName = "test"
            versions.clientSoftwareVersion = "1"
            let features = try await socket.call(versions, version: 4).finalizedFeatures
            #expect(features.first { $0.name == "transaction.version" }?.maxVersionLevel == 2)

            let id = try #require(try await socket.metadata(["t"]).topics.first?.topicId)
            #expect(id != .zero)
            let producer = try await socket.initialise("x")
            #expect(try await socket.write("a", to: "t", as: producer, sequence: 0, id: "x", version: 12) == .none)
            let first = try await socket.end("x", producer, commits: true, version: 5)
            #expect(first.errorCode == .none && first.producerEpoch == 1 && first.producerId == producer.producerId)
            // The answer was lost: asked again it is the same, once the markers are written.
            let again = try await socket.patiently {
                try await socket.end("x", producer, commits: true, version: 5)
            } until: {
                $0.errorCode != .concurrentTransactions
            }
            #expect(again.errorCode == .none && again.producerEpoch == 1)
            // What comes late has an old epoch.
            let late = try await socket.write("late", to: "t", as: producer, sequence: 1, id: "x", version: 12)
            #expect(late == .invalidProducerEpoch)
            // The next transaction may begin at once: it waits here for the markers of the last.
            for (number, epoch) in zip(1..<5, 1..<5 as Range<Int16>) {
                let word = number % 2 == 0 ? "even \(number)" : "odd \(number)"
                let written = try await socket.write(
                    word, to: "t", as: producer, epoch: epoch, sequence: 0, id: "x", version: 12)
                #expect(written == .none)
                let ended = try await socket.end("x", producer, epoch: epoch, commits: number % 2 == 0, version: 5)
                #expect(ended.errorCode == .none && ended.producerEpoch == epoch + 1)
            }
            let words = ["a", "even 2", "even 4"]
            _ = try await socket.patiently {
                try await socket.committedWords("t")
            } until: {
                $0 == words
            }
        }
    }

    @Test func anInitialisationAbortsWhatTheLastProducerLeftOpen() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let first = try await socket.initialise("x")
            #expect(try await socket.write("lost", to: "t", as: first, sequence: 0, id: "x", version: 12) == .none)
            let second = try await socket.initialise("x")
            #expect(second.producerId == first.producerId && second.producerEpoch > first.producerEpoch)
            #expect(try await socket.end("x", first, commits: true, version: 4).errorCode == .producerFenced)
            #expect(try await socket.committedWords("t") == [])
            var request = ListTransactionsRequest()
            request.stateFilters = ["Empty", "Nonsense"]
            let listed = try await socket.call(request, version: 1)
            #expect(listed.transactionStates.map(\.transactionalId) == ["x"])
            #expect(listed.unknownStateFilters == ["Nonsense"])
        }
    }

    @Test func whatWasOpenOrDecidedSurvivesARestart() async throws {
        var broker = try await TestBroker.start()
        var socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t")
        let producer = try await socket.initialise("x")
        #expect(try await socket.write("a", to: "t", as: producer, sequence: 0, id: "x", version: 12) == .none)
        broker = try await broker.restarted()
        socket = try WireSocket(to: broker.address)
        let state = try await socket.patiently {
            try await socket.state(of: "x")
        } until: {
            $0.errorCode == .none
        }
        #expect(state.transactionState == "Ongoing" && state.topics.map(\.topic) == ["t"])
        #expect(try await socket.end("x", producer, commits: true, version: 4).errorCode == .none)
        broker = try await broker.restarted()
        let after = try WireSocket(to: broker.address)
        _ = try await after.patiently {
            try await after.committedWords("t")
        } until: {
            $0 == ["a"]
        }
        await broker.shutDown()
    }

    /// As after a marker was damaged on the disk and quarantined.
    @Test func aTransactionThatLostItsMarkerDoesNotHoldReadersBackForEver() async throws {
        var broker = try await TestBroker.start { $0.hangingTransactionAge = .milliseconds(20) }
        var socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t")
        await broker.shutDown()
        let logs = LogDirectory(
            path: broker.settings.data.appending("logs"), fileSystem: PosixFileSystem(), time: SystemTime())
        try logs.open()
        let log = try #require(logs.log(for: TopicPartition(topic: "t", partition: 0)))
        let batch = try RecordBatch.build(
            [NewRecord(timestamp: SystemTime().wallTime, value: [1])], producerID: ProducerID(777),
            producerEpoch: ProducerEpoch(0), baseSequence: 0, isTransactional: true)
        _ = try log.append(
            batch.bytes, leaderEpoch: log.latestEpoch ?? LeaderEpoch(0), origin: .client, now: SystemTime().wallTime)
        try logs.shutDown()
        broker = try await broker.restarted()
        socket = try WireSocket(to: broker.address)
        _ = try await socket.produce(try Self.plain("later"), to: "t")
        let words = try await socket.patiently {
            try await socket.committedWords("t")
        } until: {
            !$0.isEmpty
        }
        #expect(words == ["later"])
        await broker.shutDown()
    }

    private static func plain(_ word: String) throws -> ByteBuffer {
        try BrokerTests.batch([word])
    }
}
