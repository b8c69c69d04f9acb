import Base
import BrokerTestKit
import Foundation
import KafkaConnection
import KafkaWire
import NIOCore
import Records
import SystemPackage
import Testing

@testable import Broker

@Suite struct FetchTests {
    @Test(arguments: 4...18 as ClosedRange<Int16>)
    func everyVersionReads(version: Int16) async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            let id = try await socket.createTopic("t").topicId
            // One answer small enough to be copied, one that goes by sendfile.
            let lines = (0..<300).map { "line \($0) \(String(repeating: "x", count: 200))" }
            _ = try await socket.produce(try batch(["small"]), to: "t")
            let name = version < 13 ? "t" : ""
            let topicID = version < 13 ? TopicID.zero : id
            let small = try await socket.fetch(name, id: topicID, from: 0, version: version)
            #expect(try words(small, first: 0) == ["small"])
            _ = try await socket.produce(try batch(lines), to: "t")
            let both = try await socket.fetch(name, id: topicID, from: 0, version: version)
            #expect(try words(both, first: 0) == ["small"] + lines)
            #expect(both.highWatermark == 301)
            #expect(both.lastStableOffset == 301)
        }
    }

    @Test func aWaitingFetchIsAnsweredByTheAppend() async throws {
        try await TestBroker.with { broker in
            let reader = try WireSocket(to: broker.address)
            let writer = try WireSocket(to: broker.address)
            try await writer.createTopic("t", partitions: 2)
            let id = try await reader.send(
                Requests.fetch("t", partition: 1, from: 0, waitMilliseconds: 250_000), version: 12)
            try await Task.sleep(for: .milliseconds(50))
            // Nothing for this partition.
            _ = try await writer.produce(try batch(["other"]), to: "t", partition: 0)
            _ = try await writer.produce(try batch(["awaited"]), to: "t", partition: 1)
            let answer = try await reader.receive(FetchRequest.self, version: 12, correlationID: id)
            #expect(try words(answer.responses[0].partitions[0]) == ["awaited"])
        }
    }

    @Test func aWaitingFetchEndsAtItsTime() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let start = SystemTime().now
            let answer = try await socket.fetch("t", from: 0, waitMilliseconds: 200)
            #expect(answer.errorCode == .none)
            #expect(try words(answer) == [])
            #expect(SystemTime().now - start >= .milliseconds(200))
        }
    }

    @Test func minimumBytesAreWaitedFor() async throws {
        try await TestBroker.with { broker in
            let reader = try WireSocket(to: broker.address)
            let writer = try WireSocket(to: broker.address)
            try await writer.createTopic("t")
            let one = try batch(["a"])
            let id = try await reader.send(
                Requests.fetch("t", from: 0, waitMilliseconds: 250_000, bytesMin: Int32(3 * one.readableBytes)),
                version: 12)
            for _ in 0..<3 {
                #expect(broker.server.services?.fetches.count ?? 1 <= 1)
                _ = try await writer.produce(one, to: "t")
            }
            let answer = try await reader.receive(FetchRequest.self, version: 12, correlationID: id)
            #expect(try words(answer.responses[0].partitions[0], first: 0) == ["a", "a", "a"])
        }
    }

    @Test func sizeLimitsHoldYetOneBatchAlwaysComes() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", partitions: 2)
            for partition in 0..<2 as Range<Int32> {
                for word in ["a", "b", "c"] {
                    let records = try batch([word + String(repeating: "x", count: 1000)])
                    _ = try await socket.produce(records, to: "t", partition: partition)
                }
            }
            let least = try await socket.fetch("t", from: 0, bytesMax: 1)
            #expect(try words(least).count == 1)
            let two = try await socket.fetch("t", from: 0, bytesMax: 2500)
            #expect(try words(two).count == 2)
            var both = Requests.fetch("t", from: 0, bytesMax: 1 << 20)
            both.topics[0].partitions.append(Requests.fetch("t", partition: 1, from: 0).topics[0].partitions[0])
            both.maxBytes = 3500
            let limited = try await socket.call(both, version: 12).responses[0].partitions
            #expect(try words(limited[0]).count == 3)
            #expect(try words(limited[1]).isEmpty)
        }
    }

    @Test func offsetsOutsideTheLogAreSaidToBe() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            _ = try await socket.produce(try batch(["a"]), to: "t")
            #expect(try await socket.fetch("t", from: 1).errorCode == .none)
            #expect(try await socket.fetch("t", from: 2, waitMilliseconds: 5000).errorCode == .offsetOutOfRange)
            #expect(try await socket.fetch("t", from: -1).errorCode == .offsetOutOfRange)
            #expect(try await socket.fetch("t", partition: 5, from: 0).errorCode == .unknownTopicOrPartition)
            #expect(try await socket.fetch("nowhere", from: 0).errorCode == .unknownTopicOrPartition)
            #expect(try await socket.fetch("", id: .random(), from: 0, version: 13).errorCode == .unknownTopicId)
        }
    }

    @Test func leaderEpochsAreCompared() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            _ = try await socket.produce(try batch(["a", "b"]), to: "t")
            let epoch = try await socket.metadata(["t"]).topics[0].partitions[0].leaderEpoch
            var request = Requests.fetch("t", from: 0)
            for (claimed, error) in [(epoch, ErrorCode.none), (epoch + 1, .unknownLeaderEpoch)] {
                request.topics[0].partitions[0].currentLeaderEpoch = claimed
                for version in [9, 12] as [Int16] {
                    let answer = try await socket.call(request, version: version)
                    #expect(answer.responses[0].partitions[0].errorCode == error)
                }
            }
            var asked = OffsetForLeaderEpochRequest.OffsetForLeaderPartition()
            asked.leaderEpoch = epoch
            var topic = OffsetForLeaderEpochRequest.OffsetForLeaderTopic()
            topic.topic = "t"
            topic.partitions = [asked]
            var ends = OffsetForLeaderEpochRequest()
            ends.topics = [topic]
            for version in 2...4 as ClosedRange<Int16> {
                let end = try await socket.call(ends, version: version).topics[0].partitions[0]
                #expect(end.leaderEpoch == epoch)
                #expect(end.endOffset == 2)
            }
        }
    }

    /// What is not in the page cache is read by threads of its own before the event loop sends it.
    @Test func aColdLogIsReadBeforeItIsSent() async throws {
        let log = RecordedLog()
        // On a disk for sure; /tmp may be memory.
        let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending(".build").appending("cold-\(UInt64.random(in: 0...UInt64.max))")
        let broker = try await TestBroker.start(data: folder, telemetry: log.telemetry)
        let socket = try WireSocket(to: broker.address)
        try await socket.createTopic("t")
        let lines = (0..<40).map { batch in (0..<100).map { "\(batch)/\($0) \(String(repeating: "x", count: 1000))" } }
        for words in lines { #expect(try await socket.produce(try batch(words), to: "t").errorCode == .none) }
        let cold = log.metrics.counter("millrace_broker_cold_fetches_total")
        func readAll() async throws {
            var read: [String] = []
            while read.count < 4000 {
                let data = try await socket.fetch("t", from: Int64(read.count))
                read += try words(data, first: Int64(read.count))
            }
            #expect(read == lines.flatMap { $0 })
        }
        try await readAll()
        #expect(cold.value == 0)
        let segment = folder.appending("logs").appending("t-0").appending("00000000000000000000.log")
        let file = try PosixFileSystem().open(segment, .read)
        let size = try file.status().size
        #expect(PageCache.holds(file, position: 0, byteCount: Int(size)))
        // Durability fsync: the pages are clean, so the kernel lets them go.
        #expect(posix_fadvise(try #require(file.descriptor), 0, 0, POSIX_FADV_DONTNEED) == 0)
        #expect(!PageCache.holds(file, position: 0, byteCount: Int(size)), "the kernel kept the pages")
        try await readAll()
        #expect(cold.value >= 1)
        #expect(log.metrics.counter("millrace_broker_cold_fetch_bytes_total").value > 1 << 19)
        let count = cold.value
        try await readAll()
        #expect(cold.value == count)
        file.close()
        await broker.shutDown()
        try FileManager.default.removeItem(atPath: folder.string)
    }

    @Test func aDeletedTopicAnswersThoseWhoWait() async throws {
        try await TestBroker.with { broker in
            let reader = try WireSocket(to: broker.address)
            let admin = try WireSocket(to: broker.address)
            try await admin.createTopic("t")
            let id = try await reader.send(Requests.fetch("t", from: 0, waitMilliseconds: 250_000), version: 12)
            try await Task.sleep(for: .milliseconds(50))
            var request = DeleteTopicsRequest()
            request.topicNames = ["t"]
            #expect(try await admin.call(request, version: 5).responses[0].errorCode == .none)
            let answer = try await reader.receive(FetchRequest.self, version: 12, correlationID: id)
            #expect(answer.responses[0].partitions[0].errorCode != .none)
        }
    }
}
