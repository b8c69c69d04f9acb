import Base
import KafkaWire
import NIOCore
import NIOEmbedded
import Synchronization
import Telemetry
import TestKit
import Testing

@testable import KafkaConnection

private final class Claimant: RequestBudget.Claimant {
    private let grants = Mutex(0)
    var granted: Int { grants.withLock { $0 } }
    func bytesGranted() { grants.withLock { $0 += 1 } }
}

/// A budget, and what it told.
private struct Budget {
    let metrics = MetricRegistry()
    let budget: RequestBudget
    let exhausted: CounterHandle

    init(_ bytes: Int) {
        let exhausted = metrics.counter("exhausted")
        self.exhausted = exhausted
        budget = RequestBudget(
            bytesMax: .bytes(bytes), taken: metrics.gauge("taken"), waits: metrics.counter("waits")
        ) { exhausted.increment() }
    }

    var taken: Int { Int(metrics.gauge("taken").value) }
    var waits: Int { metrics.counter("waits").value }
}

@Suite struct RequestBudgetTests {
    @Test func whoDoesNotFitWaitsInItsPlace() {
        let all = Budget(100)
        let (first, second, third) = (Claimant(), Claimant(), Claimant())
        #expect(all.budget.claim(60, for: first))
        #expect(!all.budget.claim(50, for: second))
        // It would fit, yet does not overtake.
        #expect(!all.budget.claim(10, for: third))
        #expect(all.taken == 60 && all.waits == 2 && all.exhausted.value == 1)
        all.budget.giveBack(5)
        #expect(second.granted == 0 && third.granted == 0)
        all.budget.giveBack(5)
        #expect(second.granted == 1 && third.granted == 0)
        all.budget.giveBack(50)
        #expect(third.granted == 1)
        #expect(all.taken == 60 && all.budget.usage.waiting == 0)
    }

    @Test func oneLargerThanAllComesAlone() {
        let all = Budget(100)
        let (small, large, next) = (Claimant(), Claimant(), Claimant())
        #expect(all.budget.claim(1, for: small))
        #expect(!all.budget.claim(500, for: large))
        all.budget.giveBack(1)
        #expect(large.granted == 1 && all.taken == 500)
        #expect(!all.budget.claim(1, for: next))
        all.budget.giveBack(500)
        #expect(next.granted == 1)
    }

    @Test func whoLeavesGivesUpItsPlaceOrWhatItWasGranted() {
        let all = Budget(100)
        let (first, second, third) = (Claimant(), Claimant(), Claimant())
        #expect(all.budget.claim(100, for: first))
        #expect(!all.budget.claim(100, for: second))
        #expect(!all.budget.claim(20, for: third))
        all.budget.withdraw(second, bytes: 100)
        all.budget.giveBack(100)
        #expect(second.granted == 0 && third.granted == 1)
        // It was granted its bytes, and went without having heard of it.
        all.budget.withdraw(third, bytes: 20)
        #expect(all.taken == 0 && all.budget.usage.bytes == 0)
    }

    @Test func whoStandsBehindOneThatLeavesIsLetIn() {
        let all = Budget(100)
        let (first, second, third) = (Claimant(), Claimant(), Claimant())
        #expect(all.budget.claim(60, for: first))
        #expect(!all.budget.claim(50, for: second))
        #expect(!all.budget.claim(30, for: third))
        all.budget.withdraw(second, bytes: 50)
        #expect(third.granted == 1 && all.taken == 90)
    }

    /// Any order of claims, answers and departures: never above the limit but for one alone, nothing leaks, nobody is forgotten.
    @Test(arguments: 1...50 as ClosedRange<UInt64>) func historiesKeepTheBooks(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let all = Budget(100)
        var holding: [Int] = []
        var waiting: [(claimant: Claimant, bytes: Int)] = []
        for _ in 0..<500 {
            if random.oneIn(2) {
                let claimant = Claimant()
                let bytes = random.oneIn(20) ? 150 : Int.random(in: 1...60, using: &random)
                if all.budget.claim(bytes, for: claimant) {
                    holding.append(bytes)
                } else {
                    waiting.append((claimant, bytes))
                }
            } else if random.oneIn(5), !waiting.isEmpty {
                let leaving = waiting.remove(at: Int.random(in: 0..<waiting.count, using: &random))
                all.budget.withdraw(leaving.claimant, bytes: leaving.bytes)
            } else if !holding.isEmpty {
                all.budget.giveBack(holding.remove(at: Int.random(in: 0..<holding.count, using: &random)))
            }
            while let first = waiting.first, first.claimant.granted == 1 { holding.append(waiting.removeFirst().bytes) }
            let sum = holding.reduce(0, +)
            #expect(waiting.allSatisfy { $0.claimant.granted == 0 })
            #expect(all.budget.usage == (sum, waiting.count), "seed \(seed)")
            #expect(sum <= 100 || holding.count == 1, "seed \(seed)")
            if let first = waiting.first { #expect(sum > 0 && sum + first.bytes > 100, "seed \(seed)") }
        }
    }
}

/// Two connections that share a budget, on one embedded loop.
@Suite struct SharedBudgetTests {
    private struct Peer {
        let channel: EmbeddedChannel
        let dispatcher: RecordingDispatcher

        init(_ settings: ServerSettings, on loop: EmbeddedEventLoop) throws {
            channel = EmbeddedChannel(loop: loop)
            dispatcher = RecordingDispatcher()
            try channel.pipeline.syncOperations.addHandler(
                ServerConnection(channel: channel, settings: settings, dispatcher: dispatcher))
            try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 5000)).wait()
        }
    }

    private let all = Budget(200)
    private let loop = EmbeddedEventLoop()

    private var settings: ServerSettings {
        var settings = ServerSettings(versions: testVersions())
        settings.budget = all.budget
        return settings
    }

    private func request(_ bytes: Int, id: Int32 = 1) throws -> ByteBuffer {
        try frame(heartbeat(group: String(repeating: "g", count: bytes)), version: 4, correlationID: id)
    }

    @Test func aConnectionIsNotServedWhileOthersHoldTheBudget() throws {
        let first = try Peer(settings, on: loop)
        let second = try Peer(settings, on: loop)
        try first.channel.writeInbound(try request(120))
        try second.channel.writeInbound(try request(120))
        #expect(first.dispatcher.seen.requests.count == 1)
        #expect(second.dispatcher.seen.requests.isEmpty)
        answerHeartbeat(first.dispatcher.seen.requests[0])
        loop.run()
        #expect(second.dispatcher.seen.requests.count == 1)
        answerHeartbeat(second.dispatcher.seen.requests[0])
        #expect(all.taken == 0)
    }

    /// Begun is half done: the length that a peer announces is its from then on.
    @Test func aRequestIsCountedFromItsLengthOn() throws {
        let first = try Peer(settings, on: loop)
        let second = try Peer(settings, on: loop)
        let whole = try request(150)
        try first.channel.writeInbound(whole.getSlice(at: 0, length: 10)!)
        #expect(all.taken == whole.readableBytes - 4)
        try second.channel.writeInbound(try request(120))
        #expect(second.dispatcher.seen.requests.isEmpty)
        try first.channel.writeInbound(whole.getSlice(at: 10, length: whole.readableBytes - 10)!)
        #expect(first.dispatcher.seen.requests.count == 1)
        answerHeartbeat(first.dispatcher.seen.requests[0])
        loop.run()
        #expect(second.dispatcher.seen.requests.count == 1)
    }

    @Test func whatABrokenConnectionHeldIsFreeAgain() throws {
        for isAnswered in [false, true] {
            let first = try Peer(settings, on: loop)
            let second = try Peer(settings, on: loop)
            let third = try Peer(settings, on: loop)
            try first.channel.writeInbound(try request(100))
            try first.channel.writeInbound(try request(90, id: 2).getSlice(at: 0, length: 8)!)
            try second.channel.writeInbound(try request(120))
            try third.channel.writeInbound(try request(120))
            #expect(second.dispatcher.seen.requests.isEmpty && third.dispatcher.seen.requests.isEmpty)
            try second.channel.close().wait()
            try first.channel.close().wait()
            if isAnswered { answerHeartbeat(first.dispatcher.seen.requests[0]) }
            loop.run()
            #expect(second.dispatcher.seen.requests.isEmpty && third.dispatcher.seen.requests.count == 1)
            try third.channel.close().wait()
            #expect(all.taken == 0)
        }
    }

    @Test func whatWasRefusedIsFreeAgain() throws {
        let peer = try Peer(settings, on: loop)
        try peer.channel.writeInbound(ByteBuffer(bytes: [0, 0, 0, 10, 3, 0xe7, 0, 0, 0, 0, 0, 1, 0xff, 0xff]))
        #expect(peer.dispatcher.seen.closed.first?.isRefusal == true)
        #expect(all.taken == 0)
    }

    @Test func aRequestThatDoesNotArriveInFullEndsItsConnection() throws {
        let peer = try Peer(settings, on: loop)
        let whole = try request(100)
        loop.advanceTime(by: .seconds(50))
        try peer.channel.writeInbound(whole.getSlice(at: 0, length: 50)!)
        loop.advanceTime(by: .seconds(59))
        #expect(peer.dispatcher.seen.closed.isEmpty)
        // More of it is no reason to wait longer.
        try peer.channel.writeInbound(whole.getSlice(at: 50, length: 1)!)
        loop.advanceTime(by: .seconds(61))
        guard case .refused(let text)? = peer.dispatcher.seen.closed.first else {
            Issue.record("closed: \(peer.dispatcher.seen.closed)")
            return
        }
        #expect(text.contains("request_receive"))
        #expect(all.taken == 0)
    }

    /// It is the others who make it wait.
    @Test func aRequestThatWaitsForTheBudgetIsNotLate() throws {
        let first = try Peer(settings, on: loop)
        let second = try Peer(settings, on: loop)
        try first.channel.writeInbound(try request(120))
        try second.channel.writeInbound(try request(120).getSlice(at: 0, length: 20)!)
        loop.advanceTime(by: .seconds(500))
        #expect(second.dispatcher.seen.closed.isEmpty)
        answerHeartbeat(first.dispatcher.seen.requests[0])
        loop.run()
        loop.advanceTime(by: .seconds(59))
        #expect(second.dispatcher.seen.closed.isEmpty)
        loop.advanceTime(by: .seconds(121))
        #expect(second.dispatcher.seen.closed.first?.isRefusal == true)
    }
}
