import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import Records
import Testing

@testable import KafkaClient

private let t0 = TopicPartition(topic: "t", partition: 0)
private let t1 = TopicPartition(topic: "t", partition: 1)

struct TransactionalMachineTests {
    private func broker(_ error: ErrorCode) -> ClientError { ClientError(error, "test")! }

    @Test func partitionsAndGroupsAreAddedOncePerTransaction() throws {
        var machine = TransactionalMachine()
        #expect(throws: ClientError.self) { try machine.begin() }
        machine.initialised(ProducerID(7), ProducerEpoch(0))
        #expect(throws: ClientError.self) { _ = try machine.mustAdd(t0) }
        try machine.begin()
        #expect(throws: ClientError.self) { try machine.begin() }
        #expect(try machine.ending(commits: true) == .nothing)
        #expect(try machine.mustAdd(t0) && machine.mustAdd(group: "g"))
        try machine.added(t0)
        try machine.added(group: "g")
        #expect(try !machine.mustAdd(t0) && machine.mustAdd(t1) && !machine.mustAdd(group: "g"))
        machine.written(3, to: t0)
        #expect(machine.sequence(of: t0) == 3 && machine.sequence(of: t1) == 0)
        #expect(try machine.ending(commits: true) == .end)
        machine.ended()
        try machine.begin()
        // Its sequences go on: the epoch is the same.
        #expect(try machine.mustAdd(t0) && machine.sequence(of: t0) == 3)
    }

    @Test func aFailedTransactionCanOnlyBeAbortedAndThatTakesANewEpoch() throws {
        var machine = TransactionalMachine()
        machine.initialised(ProducerID(7), ProducerEpoch(0))
        try machine.begin()
        try machine.added(t0)
        machine.written(3, to: t0)
        machine.failed(broker(.messageTooLarge))
        #expect(throws: ClientError.self) { _ = try machine.ending(commits: true) }
        #expect(throws: ClientError.self) { _ = try machine.mustAdd(t1) }
        #expect(throws: ClientError.self) { try machine.begin() }
        #expect(try machine.ending(commits: false) == .abortAndInitialise)
        machine.initialised(ProducerID(7), ProducerEpoch(1))
        try machine.begin()
        #expect(machine.sequence(of: t0) == 0)
    }

    @Test(arguments: [ErrorCode.producerFenced, .invalidProducerEpoch, .invalidProducerIdMapping])
    func aFencedProducerStaysSo(error: ErrorCode) throws {
        var machine = TransactionalMachine()
        machine.initialised(ProducerID(7), ProducerEpoch(0))
        try machine.begin()
        machine.failed(broker(error))
        machine.failed(broker(.messageTooLarge))
        do {
            _ = try machine.ending(commits: false)
            Issue.record("a fenced producer aborts")
        } catch { #expect(error.code == .fenced) }
    }
}

/// Against the real broker.
struct TransactionalProducerTests {
    private static func record(_ word: String) -> NewRecord {
        NewRecord(timestamp: SystemTime().wallTime, value: Array(word.utf8))
    }

    /// What readers of committed records see, up to a plain record that is written now.
    private static func committed(_ cluster: KafkaCluster, _ partition: TopicPartition) async throws -> [String] {
        let last = try RecordBatch.build([record("end")])
        _ = try await AnyClusterTests.produce(last.bytes, to: partition, cluster)
        let end = try await cluster.retrying { () async throws(ClientError) in
            let high = try await cluster.offset(of: partition, at: .latest, isolation: .readUncommitted).offset
            let stable = try await cluster.offset(of: partition, at: .latest, isolation: .readCommitted).offset
            // The markers are on their way.
            if stable < high { throw ClientError(.timedOut, "undecided up to \(high)") }
            return stable
        }
        let reader = PartitionReader(cluster: cluster, partitions: [partition: .earliest])
        var words: [String] = []
        try await reader.run { data in
            for batch in data.batches {
                var records = try batch.records(decompressedMax: .mib(1))
                while let record = try records.next() { words.append(String(buffer: record.value!)) }
            }
            return data.nextOffset < end
        }
        return words.filter { $0 != "end" }
    }

    private static func with(_ body: (TestBroker, KafkaCluster) async throws -> Void) async throws {
        try await TestBroker.with { broker in
            let cluster = AnyClusterTests.cluster(broker.address)
            try await Admin(cluster).createTopics([NewTopic("t", partitionCount: 2)])
            try await body(broker, cluster)
            cluster.shutDown()
        }
    }

    @Test func whatIsCommittedIsReadAndWhatIsAbortedIsNot() async throws {
        try await Self.with { _, cluster in
            var producer = try await TransactionalProducer.open(cluster: cluster, transactionalID: "x")
            for number in 0..<6 {
                try producer.begin()
                try await producer.send([Self.record("\(number)a"), Self.record("\(number)b")], to: t0)
                try await producer.send([Self.record("\(number)c")], to: t1)
                if number % 2 == 0 { try await producer.commit() } else { try await producer.abort() }
            }
            try producer.begin()
            try await producer.commit()
            #expect(try await Self.committed(cluster, t0) == ["0a", "0b", "2a", "2b", "4a", "4b"])
            #expect(try await Self.committed(cluster, t1) == ["0c", "2c", "4c"])
        }
    }

    @Test func offsetsAreCommittedWithTheTransaction() async throws {
        try await Self.with { _, cluster in
            var producer = try await TransactionalProducer.open(cluster: cluster, transactionalID: "x")
            for (offset, commits) in [(7, true), (9, false)] {
                try producer.begin()
                try await producer.send([Self.record("r\(offset)")], to: t0)
                try await producer.send(offsets: [t0: .init(Offset(Int64(offset)))], group: "g")
                if commits { try await producer.commit() } else { try await producer.abort() }
            }
            #expect(try await Self.committed(cluster, t0) == ["r7"])
            let offsets = try await Admin(cluster).committedOffsets(group: "g", partitions: [t0])
            #expect(offsets[t0]?.offset == Offset(7))
        }
    }

    @Test func theNextOneFencesTheLastAndAbortsWhatItLeftOpen() async throws {
        try await Self.with { _, cluster in
            var first = try await TransactionalProducer.open(cluster: cluster, transactionalID: "x")
            try first.begin()
            try await first.send([Self.record("lost")], to: t0)
            var second = try await TransactionalProducer.open(cluster: cluster, transactionalID: "x")
            do {
                try await first.commit()
                Issue.record("a fenced producer commits")
            } catch { #expect((error as? ClientError)?.kafkaError == .producerFenced) }
            do {
                try await first.abort()
                Issue.record("a fenced producer aborts")
            } catch { #expect((error as? ClientError)?.code == .fenced) }
            try second.begin()
            try await second.send([Self.record("kept")], to: t0)
            try await second.commit()
            #expect(try await Self.committed(cluster, t0) == ["kept"])
        }
    }

    @Test func afterAnErrorItAbortsAndGoesOn() async throws {
        try await Self.with { _, cluster in
            var producer = try await TransactionalProducer.open(cluster: cluster, transactionalID: "x")
            try producer.begin()
            try await producer.send([Self.record("gone")], to: t0)
            let tooLarge = NewRecord(
                timestamp: SystemTime().wallTime, value: Array(repeating: 1, count: 2 << 20))
            do {
                try await producer.send([tooLarge], to: t0)
                Issue.record("a record that is too large was taken")
            } catch { #expect((error as? ClientError)?.kafkaError == .messageTooLarge) }
            do {
                try await producer.commit()
                Issue.record("a failed transaction is committed")
            } catch { #expect((error as? ClientError)?.code == .closed) }
            try await producer.abort()
            try producer.begin()
            try await producer.send([Self.record("kept")], to: t0)
            try await producer.commit()
            #expect(try await Self.committed(cluster, t0) == ["kept"])
        }
    }
}
