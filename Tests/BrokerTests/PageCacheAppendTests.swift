import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import Synchronization
import Telemetry
import Testing

@testable import Broker

/// Appends that the event loop writes itself, and those that it leaves to the lane.
@Suite struct PageCacheAppendTests {
    private static let pageCache = ["millrace.durability": "page-cache"]

    private static func counts(_ telemetry: Telemetry) -> (loop: Int, lane: Int) {
        func count(_ thread: String) -> Int {
            telemetry.metrics.counter("millrace_broker_appends_total", [("thread", thread)]).value
        }
        return (count("loop"), count("lane"))
    }

    @Test func theLoopWritesWhatIsPromptAndTheLaneAllElse() async throws {
        let telemetry = Telemetry(logger: Telemetry.silent.logger)
        try await TestBroker.with(telemetry: telemetry) { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("prompt", settings: Self.pageCache)
            try await socket.createTopic("synced")
            try await socket.createTopic("interval", settings: ["millrace.durability": "interval"])
            try await socket.createTopic(
                "compacted", settings: Self.pageCache.merging(["cleanup.policy": "compact"]) { $1 })
            try await socket.createTopic(
                "decoded", settings: Self.pageCache.merging(["millrace.validate.records": "true"]) { $1 })
            let before = Self.counts(telemetry)
            #expect(try await socket.produce(try batch(["a"]), to: "prompt").baseOffset == 0)
            #expect(try await socket.produce(try batch(["b"]), to: "prompt").baseOffset == 1)
            #expect(Self.counts(telemetry) == (before.loop + 2, before.lane))
            for topic in ["synced", "interval", "decoded"] {
                #expect(try await socket.produce(try batch(["a"]), to: topic).baseOffset == 0)
            }
            // Refused for want of a key, by the lane.
            #expect(try await socket.produce(try batch(["a"]), to: "compacted").errorCode == .invalidRecord)
            let large = try batch([String(repeating: "x", count: LoopWriteGate.bytesMax)])
            #expect(try await socket.produce(large, to: "prompt").baseOffset == 2)
            // The count may come after the answer.
            while Self.counts(telemetry).lane < before.lane + 5 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(Self.counts(telemetry) == (before.loop + 2, before.lane + 5))
            #expect(try words(await socket.fetch("prompt", from: 0), first: 0).prefix(2) == ["a", "b"])
        }
    }

    /// What waits in the lane came first.
    @Test func nothingOvertakesTheLane() async throws {
        let telemetry = Telemetry(logger: Telemetry.silent.logger)
        try await TestBroker.with(telemetry: telemetry) { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", settings: Self.pageCache)
            let partition = try #require(
                broker.server.services?.topics.partition(TopicPartition(topic: "t", partition: 0)))
            let before = Self.counts(telemetry)
            let gate = Gate()
            #expect(partition.lane.submit { gate.wait() })
            var ids: [Int32] = []
            for sequence in 0..<5 as Range<Int32> {
                let records = try batch(["\(sequence)"], producer: 1, epoch: 0, sequence: sequence)
                ids.append(try await socket.send(Requests.produce(records, to: "t"), version: 9))
            }
            while Self.counts(telemetry).lane < before.lane + 5 { try await Task.sleep(for: .milliseconds(1)) }
            gate.open()
            for (offset, id) in ids.enumerated() {
                let answer = try await socket.receive(ProduceRequest.self, version: 9, correlationID: id)
                #expect(answer.responses[0].partitionResponses[0].baseOffset == Int64(offset))
            }
            #expect(Self.counts(telemetry) == (before.loop, before.lane + 5))
        }
    }

    /// A fetch that waits hears of what the loop wrote.
    @Test func aWaitingFetchIsWoken() async throws {
        try await TestBroker.with { broker in
            let writer = try WireSocket(to: broker.address)
            let reader = try WireSocket(to: broker.address)
            try await writer.createTopic("t", settings: Self.pageCache)
            let id = try await reader.send(Requests.fetch("t", from: 0, waitMilliseconds: 100_000), version: 12)
            while broker.server.services?.fetches.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(try await writer.produce(try batch(["a"]), to: "t").baseOffset == 0)
            let answer = try await reader.receive(FetchRequest.self, version: 12, correlationID: id)
            #expect(try words(answer.responses[0].partitions[0]) == ["a"])
        }
    }

    @Test func acksZeroGetsNoAnswer() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", settings: Self.pageCache)
            try await socket.send(Requests.produce(try batch(["a"]), to: "t", acks: 0), version: 9)
            #expect(try await socket.listOffset("t", timestamp: -1).offset == 1)
        }
    }

    @Test func oneSlowWriteSendsTheNextOnesToTheLane() async throws {
        let telemetry = Telemetry(logger: Telemetry.silent.logger)
        let time = SlowableTime()
        try await TestBroker.with(time: time, telemetry: telemetry) { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t", settings: Self.pageCache)
            let before = Self.counts(telemetry)
            time.step(.milliseconds(6))
            #expect(try await socket.produce(try batch(["a"]), to: "t").baseOffset == 0)
            time.step(.zero)
            #expect(try await socket.produce(try batch(["b"]), to: "t").baseOffset == 1)
            while Self.counts(telemetry).lane < before.lane + 1 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(Self.counts(telemetry) == (before.loop + 1, before.lane + 1))
            #expect(telemetry.metrics.counter("millrace_broker_loop_writes_paused_total").value == 1)
        }
    }

    @Test func theGateOpensAgain() {
        let gate = LoopWriteGate()
        let start = Instant(nanoseconds: 1_000_000_000)
        #expect(gate.isOpen(for: LoopWriteGate.bytesMax, now: start))
        #expect(!gate.isOpen(for: LoopWriteGate.bytesMax + 1, now: start))
        #expect(!gate.wrote(from: start, until: start + LoopWriteGate.slow))
        #expect(gate.isOpen(for: 1, now: start))
        let end = start + LoopWriteGate.slow + .nanoseconds(1)
        #expect(gate.wrote(from: start, until: end))
        #expect(!gate.isOpen(for: 1, now: end + LoopWriteGate.pause + .nanoseconds(-1)))
        #expect(gate.isOpen(for: 1, now: end + LoopWriteGate.pause))
    }
}

/// The system's clock, which moves on by a step whenever it is looked at.
private final class SlowableTime: TimeSource {
    private let state = Mutex((ahead: Duration.zero, step: Duration.zero))

    func step(_ step: Duration) { state.withLock { $0.step = step } }

    var now: Instant {
        let ahead = state.withLock { state in
            state.ahead += state.step
            return state.ahead
        }
        return SystemTime().now + ahead
    }
    var wallTime: Timestamp { SystemTime().wallTime }
}
