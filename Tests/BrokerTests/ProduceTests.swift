import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import Records
import Synchronization
import Telemetry
import Testing

@testable import Broker

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct ProduceTests {
    @Test(arguments: 3...13 as ClosedRange<Int16>)
    func everyVersionAppendsAndAnswersTheOffset(version: Int16) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            let id = try await socket.createTopic("t").topicId
            for (round, acks) in [Int16(-1), 1].enumerated() {
                let answer = try await socket.produce(
                    try batch(["a", "b"]), to: version < 13 ? "t" : "", id: version < 13 ? .zero : id, acks: acks,
                    version: version)
                #expect(answer.errorCode == .none)
                #expect(answer.baseOffset == Int64(2 * round))
                #expect(answer.logAppendTimeMs == -1)
            }
            #expect(try words(await socket.fetch("t", from: 0), first: 0) == ["a", "b", "a", "b"])
        }
    }

    @Test(arguments: [Codec.none, .gzip, .snappy, .lz4, .zstd])
    func bytesStandInTheLogAsTheyCame(codec: Codec) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let sent = try batch((0..<200).map { "line \($0)" }, codec: codec)
            #expect(try await socket.produce(sent, to: "t").errorCode == .none)
            let fetched = try #require(try await socket.fetch("t", from: 0).records?.bytes)
            // All but base offset and leader epoch.
            #expect(fetched.readableBytes == sent.readableBytes)
            #expect(
                fetched.getSlice(at: 16, length: sent.readableBytes - 16)
                    == sent.getSlice(at: 16, length: sent.readableBytes - 16))
        }
    }

    @Test func aRepeatedBatchGetsItsFirstOffset() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            for sequence in [0, 2, 4, 6] as [Int32] {
                let answer = try await socket.produce(
                    try batch(["a", "b"], producer: 7, epoch: 0, sequence: sequence), to: "t")
                #expect(answer.baseOffset == Int64(sequence))
            }
            let again = try await socket.produce(try batch(["a", "b"], producer: 7, epoch: 0, sequence: 2), to: "t")
            #expect(again.errorCode == .none)
            #expect(again.baseOffset == 2)
            let gap = try await socket.produce(try batch(["z"], producer: 7, epoch: 0, sequence: 20), to: "t")
            #expect(gap.errorCode == .outOfOrderSequenceNumber)
            let newer = try await socket.produce(try batch(["c"], producer: 7, epoch: 1, sequence: 0), to: "t")
            #expect(newer.baseOffset == 8)
            let older = try await socket.produce(try batch(["d"], producer: 7, epoch: 0, sequence: 8), to: "t")
            #expect(older.errorCode == .invalidProducerEpoch)
            #expect(try await socket.listOffset("t", timestamp: -1).offset == 9)
        }
    }

    @Test func pipelinedRequestsKeepTheirOrder() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 3)
            var ids: [Int32] = []
            for sequence in 0..<50 as Range<Int32> {
                let records = try batch(["\(sequence)"], producer: 1, epoch: 0, sequence: sequence)
                ids.append(try await socket.send(Requests.produce(records, to: "t", partition: 1), version: 9))
            }
            for (offset, id) in ids.enumerated() {
                let answer = try await socket.receive(ProduceRequest.self, version: 9, correlationID: id)
                #expect(answer.responses[0].partitionResponses[0].baseOffset == Int64(offset))
            }
            let read = try await socket.fetch("t", partition: 1, from: 0)
            #expect(try words(read, first: 0) == (0..<50).map { "\($0)" })
        }
    }

    @Test func acksZeroGetsNoAnswerAndAnErrorClosesTheConnection() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            try await socket.send(Requests.produce(try batch(["a"]), to: "t", acks: 0), version: 9)
            // The next answer belongs to the next request.
            #expect(try await socket.listOffset("t", timestamp: -2).offset == 0)
            #expect(try words(await socket.fetch("t", from: 0, waitMilliseconds: 5000)) == ["a"])
            try await socket.send(Requests.produce(try batch(["a"]), to: "nowhere", acks: 0), version: 9)
            #expect(await socket.isClosedByBroker())
        }
    }

    @Test func oneRequestWithManyPartitionsFailsOneByOne() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 4)
            var request = Requests.produce(try batch(["a"]), to: "t")
            request.topicData[0].partitionData = try ([0, 9, 3, 1] as [Int32]).map { index in
                var data = ProduceRequest.PartitionProduceData()
                data.index = index
                data.records = index == 3 ? nil : try batch(["p\(index)"])
                return data
            }
            request.topicData += Requests.produce(try batch(["a"]), to: "nowhere").topicData
            let answer = try await socket.call(request, version: 9)
            #expect(
                answer.responses[0].partitionResponses.map(\.errorCode) == [
                    .none, .unknownTopicOrPartition, .invalidRecord, .none,
                ])
            #expect(answer.responses[1].partitionResponses[0].errorCode == .unknownTopicOrPartition)
            #expect(try words(await socket.fetch("t", partition: 1, from: 0)) == ["p1"])
        }
    }

    @Test func whatIsNoBatchIsRefusedByItsReason() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", settings: ["max.message.bytes": "1000"])
            let good = try batch(["a"])

            var wrongSum = good
            wrongSum.setInteger(UInt8(0xff), at: good.writerIndex - 1)
            #expect(try await socket.produce(wrongSum, to: "t").errorCode == .corruptMessage)

            var falseLength = good
            falseLength.setInteger(Int32(1 << 30), at: 8)
            #expect(try await socket.produce(falseLength, to: "t").errorCode == .corruptMessage)

            var oldMagic = good
            oldMagic.setInteger(Int8(1), at: 16)
            let old = try await socket.produce(oldMagic, to: "t")
            #expect(old.errorCode == .unsupportedForMessageFormat)
            #expect(old.errorMessage != nil)

            var two = good
            two.writeImmutableBuffer(good)
            #expect(try await socket.produce(two, to: "t").errorCode == .invalidRecord)

            let large = try batch([String(repeating: "x", count: 2000)])
            #expect(try await socket.produce(large, to: "t").errorCode == .messageTooLarge)

            #expect(try await socket.produce(nil, to: "t").errorCode == .invalidRecord)
            #expect(try await socket.produce(ByteBuffer(), to: "t").errorCode == .invalidRecord)
            #expect(
                try await socket.produce(
                    try batch([String(repeating: "z", count: 500)], codec: .zstd), to: "t", version: 6
                ).errorCode
                    == .unsupportedCompressionType)
            #expect(try await socket.produce(good, to: "t", acks: 2).errorCode == .invalidRequiredAcks)

            let inTransaction = try RecordBatch.build(
                [NewRecord(timestamp: SystemTime().wallTime, value: [1])], producerID: ProducerID(5),
                producerEpoch: ProducerEpoch(0), baseSequence: 0, isTransactional: true
            ).bytes
            #expect(try await socket.produce(inTransaction, to: "t").errorCode == .invalidTxnState)
            var transactional = Requests.produce(inTransaction, to: "t")
            transactional.transactionalId = "x"
            let refused = try await socket.call(transactional, version: 9)
            // Nobody asked for this id, so its coordinator has nothing to look it up in.
            #expect(refused.responses[0].partitionResponses[0].errorCode == .notEnoughReplicas)

            #expect(try await socket.produce(good, to: "t").baseOffset == 0)
        }
    }

    @Test func topicsGoByIdFromThirteenOn() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let answer = try await socket.produce(try batch(["a"]), to: "", id: .random(), version: 13)
            #expect(answer.errorCode == .unknownTopicId)
        }
    }

    @Test func logAppendTimeIsTheBrokersAndIsAnswered() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", settings: ["message.timestamp.type": "LogAppendTime"])
            let answer = try await socket.produce(try batch(["a"]), to: "t")
            #expect(answer.errorCode == .none)
            #expect(answer.logAppendTimeMs > 1_600_000_000_000)
            #expect(try words(await socket.fetch("t", from: 0)) == ["a"])
        }
    }

    /// What waits for the disk is limited: beyond it clients are told to come back, and nothing is written for them.
    @Test func moreThanTheDiskTakesIsTurnedAway() async throws {
        let telemetry = Telemetry(logger: Telemetry.silent.logger)
        try await TestBroker.with(telemetry: telemetry, configure: { $0.limits.diskJobBytesMax = .bytes(1) }) {
            broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let partition = try #require(
                broker.server.services?.topics.partition(TopicPartition(topic: "t", partition: 0)))
            let gate = Gate()
            #expect(partition.lane.submit { gate.wait() })
            let first = try await socket.send(Requests.produce(try batch(["a"]), to: "t"), version: 9)
            let second = try await socket.send(Requests.produce(try batch(["b"]), to: "t"), version: 9)
            let turnedAway = telemetry.metrics.counter("millrace_broker_appends_turned_away_total")
            while turnedAway.value == 0 { try await Task.sleep(for: .milliseconds(1)) }
            gate.open()
            let answers = [
                try await socket.receive(ProduceRequest.self, version: 9, correlationID: first),
                try await socket.receive(ProduceRequest.self, version: 9, correlationID: second),
            ].map { $0.responses[0].partitionResponses[0].errorCode }
            #expect(answers == [.none, .notEnoughReplicas])
            #expect(try await socket.produce(try batch(["c"]), to: "t").errorCode == .none)
            #expect(try words(await socket.fetch("t", from: 0), first: 0) == ["a", "c"])
        }
    }
}

/// Holds a thread until it is opened.
final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)

    func open() { isOpen.store(true, ordering: .releasing) }
    func wait() { while !isOpen.load(ordering: .acquiring) { usleep(1000) } }
}
