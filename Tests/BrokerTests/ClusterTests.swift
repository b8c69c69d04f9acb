import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import Testing

@testable import Broker

@Suite struct ClusterTests {
    @Test func apiVersionsListsWhatIsServedAndProduceFromZero() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            for version in 0...4 as ClosedRange<Int16> {
                var request = ApiVersionsRequest()
                request.clientSoftwareName = "test"
                request.clientSoftwareVersion = "1.0"
                let response = try await socket.call(request, version: version)
                #expect(response.errorCode == .none)
                let ranges = Dictionary(
                    uniqueKeysWithValues: response.apiKeys.map { ($0.apiKey, $0.minVersion...$0.maxVersion) })
                #expect(ranges[0] == 0...13)
                #expect(ranges[1] == 4...18)
                #expect(ranges[2] == 1...10)
                #expect(ranges[3] == 0...13)
                #expect(ranges[18] == 0...4)
                #expect(ranges[22] == 0...5)
                #expect(ranges[24] == 0...5)
                #expect(ranges[80] == nil)
            }
        }
    }

    @Test func anApiVersionsFromTheFutureIsAnsweredInTheOldest() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            var frame = ByteBuffer()
            frame.writeMultipleIntegers(Int16(18), Int16(99), Int32(5), Int16(-1))
            await socket.send(frame: frame)
            var answer = try #require(await socket.receiveFrame())
            #expect(answer.readInteger(as: Int32.self) == 5)
            let response = try ApiVersionsResponse.decoded(answer, version: 0)
            #expect(response.errorCode == .unsupportedVersion)
            #expect(response.apiKeys.contains { $0.apiKey == 18 })
            #expect(try await socket.metadata(nil).brokers.count == 1)
        }
    }

    @Test func theClusterHasOneBroker() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            let clusterID = try await socket.metadata(nil).clusterId
            for version in 0...2 as ClosedRange<Int16> {
                let cluster = try await socket.call(DescribeClusterRequest(), version: version)
                #expect(cluster.clusterId == clusterID)
                #expect(cluster.brokers.map(\.port) == [Int32(broker.address.port)])
            }
            for version in 0...6 as ClosedRange<Int16> {
                var request = FindCoordinatorRequest()
                if version < 4 { request.key = "g" } else { request.coordinatorKeys = ["g", "h"] }
                let answer = try await socket.call(request, version: version)
                let port = version < 4 ? answer.port : answer.coordinators[1].port
                #expect(port == Int32(broker.address.port))
                request.keyType = 2
                guard version >= 1 else { continue }
                let refused = try await socket.call(request, version: version)
                #expect((version < 4 ? refused.errorCode : refused.coordinators[0].errorCode) == .invalidRequest)
            }
        }
    }

    @Test func producerIdsAreNeverGivenTwice() async throws {
        var broker = try await TestBroker.start()
        var seen: Set<Int64> = []
        var idempotent = InitProducerIdRequest()
        idempotent.transactionalId = nil
        for _ in 0..<3 {
            let socket = try WireSocket(to: broker.address)
            for version in 0...5 as ClosedRange<Int16> {
                let answer = try await socket.call(idempotent, version: version)
                #expect(answer.errorCode == .none)
                #expect(answer.producerEpoch == 0)
                #expect(seen.insert(answer.producerId).inserted)
            }
            broker = try await broker.restarted()
        }
        let socket = try WireSocket(to: broker.address)
        var transactional = idempotent
        transactional.transactionalId = "t"
        transactional.transactionTimeoutMs = 0
        #expect(try await socket.call(transactional, version: 4).errorCode == .invalidTransactionTimeout)
        await broker.shutDown()
    }

    @Test func producersAreDescribed() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            _ = try await socket.produce(try batch(["a", "b"], producer: 5, epoch: 2, sequence: 0), to: "t")
            _ = try await socket.produce(try batch(["c"], producer: 5, epoch: 2, sequence: 2), to: "t")
            var request = DescribeProducersRequest()
            request.topics = [DescribeProducersRequest.TopicRequest()]
            request.topics[0].name = "t"
            request.topics[0].partitionIndexes = [0, 1]
            let answer = try await socket.call(request, version: 0).topics[0].partitions
            #expect(answer[0].activeProducers.map(\.producerId) == [5])
            #expect(answer[0].activeProducers.map(\.lastSequence) == [2])
            #expect(answer[0].activeProducers.map(\.producerEpoch) == [2])
            #expect(answer[1].errorCode == .unknownTopicOrPartition)
        }
    }

    @Test func offsetsAreFoundByTime() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let now = SystemTime().wallTime.milliseconds
            for minute in 0..<3 as Range<Int64> {
                _ = try await socket.produce(
                    try batch(["a", "b"], timestamp: now - 600_000 + minute * 60_000), to: "t")
            }
            for version in 1...10 as ClosedRange<Int16> {
                func offset(_ timestamp: Int64) async throws -> Int64 {
                    let answer = try await socket.listOffset("t", timestamp: timestamp, version: version)
                    #expect(answer.errorCode == .none)
                    return answer.offset
                }
                #expect(try await offset(-1) == 6)
                #expect(try await offset(-2) == 0)
                #expect(try await offset(now - 600_000 + 60_000) == 2)
                #expect(try await offset(now - 600_000 + 60_001) == 4)
                #expect(try await offset(now) == -1)
                if version >= 7 { #expect(try await offset(-3) == 4) }
            }
            #expect(try await socket.listOffset("nowhere", timestamp: -1).errorCode == .unknownTopicOrPartition)
        }
    }

    @Test func recordsAreDeletedUpToAnOffset() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            for word in ["a", "b", "c"] { _ = try await socket.produce(try batch([word]), to: "t") }
            var request = DeleteRecordsRequest()
            request.topics = [DeleteRecordsRequest.DeleteRecordsTopic()]
            request.topics[0].name = "t"
            request.topics[0].partitions = [DeleteRecordsRequest.DeleteRecordsPartition()]
            for (offset, start, error) in [
                (2, 2, ErrorCode.none), (9, -1, .offsetOutOfRange), (-1, 3, .none),
            ] as [(Int64, Int64, ErrorCode)] {
                request.topics[0].partitions[0].offset = offset
                let answer = try await socket.call(request, version: 2).topics[0].partitions[0]
                #expect(answer.errorCode == error)
                #expect(answer.lowWatermark == start)
            }
            #expect(try await socket.listOffset("t", timestamp: -2).offset == 3)
            #expect(try await socket.fetch("t", from: 0).errorCode == .offsetOutOfRange)
        }
    }
}
