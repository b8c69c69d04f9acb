import Base
import KafkaClient
import KafkaWire
import Testing

@Suite struct Sending {
    @Test func theFirstBatchWaitsForALookAndIsReadBack() {
        var t = Transcript()
        t.start()
        t.seal()
        #expect(t.take() == ["inspect"])
        t.inspected(end: 100, .unknown)
        #expect(t.take() == ["opening 100", "send 1 7/0 #0"])
        t.acknowledge(1, at: 100)
        #expect(t.take() == ["scan 100..<110 for [1]"])
        t.scanned([1: 100], from: 100, end: 110)
        #expect(t.take() == ["ack 1@100", "note: acknowledged 10"])
    }

    @Test func atMostFiveAreInFlight() {
        var t = Transcript.open()
        t.seal(count: 8)
        #expect(t.take() == (2...6).map { "send \($0) 7/0 #\(($0 - 1) * 10)" })
        t.acknowledge(2, at: 110)
        #expect(t.take() == ["ack 2@110", "note: acknowledged 10", "send 7 7/0 #60"])
        // An answer out of order frees no place: the oldest must stay among the last five.
        t.acknowledge(4, at: 130)
        #expect(t.take() == [])
        t.acknowledge(3, at: 120)
        #expect(
            t.take() == ["ack 3@120", "ack 4@130", "note: acknowledged 20", "send 8 7/0 #70", "send 9 7/0 #80"])
    }

    /// Sources wait for a partition that gets on, and not for one that doesn't.
    @Test func whatWaitsIsWaitedForWhileItIsAcknowledged() {
        let patience = Duration.milliseconds(250)
        var t = Transcript.open()
        #expect(t.machine.crowdedUntil(bytes: 300, patience: patience, now: t.now) == nil)
        t.pass(.seconds(1))
        t.seal(count: 2)
        #expect(t.machine.crowdedUntil(bytes: 300, patience: patience, now: t.now) == nil)
        t.seal()
        let begun = t.now
        #expect(t.machine.crowdedUntil(bytes: 300, patience: patience, now: t.now) == begun + patience)
        t.pass(.milliseconds(200))
        t.seal()
        t.acknowledge(2, at: 110)
        #expect(t.machine.crowdedUntil(bytes: 300, patience: patience, now: t.now) == t.now + patience)
        t.pass(.milliseconds(250))
        #expect(t.machine.crowdedUntil(bytes: 300, patience: patience, now: t.now) == nil)
    }

    @Test func aSecondAnswerChangesNothing() {
        var t = Transcript.open()
        t.seal()
        t.acknowledge(2, at: 110)
        _ = t.take()
        t.acknowledge(2, at: 110)
        t.refuse(2, 45)
        t.produced(2, .unanswered(reason: "closed"))
        #expect(t.take() == [])
    }

    @Test func aRetriableErrorBringsAllBackInOrder() {
        var t = Transcript.open()
        t.seal(count: 3)
        _ = t.take()
        t.refuse(2, 6)
        #expect(t.take() == ["note: retrying", "refresh"])
        t.refuse(3, 45)
        t.refuse(4, 45)
        #expect(t.take() == [])
        t.pass(.milliseconds(100))
        #expect(t.take() == ["send 2 7/0 #10", "send 3 7/0 #20", "send 4 7/0 #30"])
    }

    @Test func aSilenceAsksBeforeItSendsAgain() {
        var t = Transcript.open()
        t.seal(count: 3)
        _ = t.take()
        for id in 2...4 { t.produced(UInt64(id), .unanswered(reason: "closed")) }
        #expect(t.take() == ["note: retrying", "refresh", "refresh", "refresh"])
        t.pass(.milliseconds(100))
        #expect(t.take() == ["inspect"])
        // The broker holds 2 and 3: 3 is sent again, and its answer vouches for 2.
        t.inspected(end: 130, last: 29)
        #expect(t.take() == ["send 3 7/0 #20", "send 4 7/0 #30"])
        t.acknowledge(3, at: 120)
        #expect(t.take() == ["ack 2@-1", "ack 3@120", "note: acknowledged 20"])
    }

    @Test func theBackoffDoublesUpToItsLimit() {
        var t = Transcript.open()
        t.seal()
        _ = t.take()
        for expected in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            t.refuse(2, 19)
            t.pass(.milliseconds(expected - 1))
            #expect(!t.take().contains("send 2 7/0 #10"))
            t.pass(.milliseconds(1))
            #expect(t.take() == ["send 2 7/0 #10"])
        }
    }

    @Test func whatNeedsAPersonIsHeldAndNeverDropped() {
        var t = Transcript.open()
        t.seal(count: 2)
        _ = t.take()
        t.refuse(2, 29)
        t.refuse(3, 45)
        #expect(t.take() == ["note: held TOPIC_AUTHORIZATION_FAILED"])
        t.pass(.seconds(29))
        #expect(t.take() == [])
        t.pass(.seconds(1))
        #expect(t.take() == ["send 2 7/0 #10", "send 3 7/0 #20"])
    }

    @Test func bytesOnTheWireAreLimitedOverAllPartitions() {
        var settings = ProducerSettings()
        settings.inFlightBytesMax = .bytes(250)
        var t = Transcript.open(settings: settings)
        t.seal(count: 4)
        #expect(t.take() == ["send 2 7/0 #10", "send 3 7/0 #20"])
        t.acknowledge(2, at: 110)
        #expect(t.take() == ["ack 2@110", "note: acknowledged 10", "send 4 7/0 #30"])
    }

    @Test func everyErrorHasAVerdict() {
        let codes = (-1...133).map { ErrorCode(rawValue: Int16($0)) }
        let retried = codes.filter { if case .retry = ProduceVerdict($0) { true } else { false } }
        #expect(retried.contains { $0.rawValue == 6 } && retried.contains { $0.rawValue == 19 })
        #expect(codes.filter { ProduceVerdict($0) == .reconcile }.map(\.rawValue) == [45, 46, 59])
        #expect(codes.filter { ProduceVerdict($0) == .renew }.map(\.rawValue) == [47, 49, 90])
        #expect(codes.filter { ProduceVerdict($0) == .acknowledged }.map(\.rawValue) == [0])
        #expect(codes.filter { ProduceVerdict($0) == .divide }.map(\.rawValue) == [10, 18, 87])
        for code: Int16 in [17, 29, 31, 32] {
            #expect(ProduceVerdict(ErrorCode(rawValue: code)) == .hold)
        }
    }

    @Test func sequencesWrap() {
        #expect(Sequence32.advance(Int32.max, by: 1) == 0)
        #expect(Sequence32.advance(Int32.max - 4, by: 10) == 5)
        #expect(Sequence32.before(0) == Int32.max)
        #expect(Sequence32.distance(from: Int32.max, to: 2) == 3)
    }
}
