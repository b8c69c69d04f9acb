import Base
import KafkaClient
import Testing

@testable import Agent

@Suite struct WatermarkTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    private func stream(_ id: UInt64, offset: Int64, unread: Int64?) -> StreamStatus {
        StreamStatus(stream: StreamID(id), source: SourceKey("h/f"), place: "/f", offset: offset, unread: unread)
    }

    private func progress(
        holdsBlock: Bool = false, open: Instant? = nil, pending: UInt64? = nil, next: UInt64 = 10
    ) -> Watermark.Progress {
        Watermark.Progress(
            holdsBlock: holdsBlock, oldestOpen: open, oldestPending: pending.map { BatchID($0) },
            nextBatch: BatchID(next))
    }

    @Test func anAgentWithNothingToDoFollowsTheClock() {
        var watermark = Watermark()
        for second in Int64(1)...3 {
            watermark.observed([], isBehind: false, wallTime: at(second))
            watermark.turned(progress(), now: .zero + .seconds(second))
            #expect(watermark.value == at(second))
        }
    }

    @Test func waitsUntilEachStreamWasReadToWhereItEnded() {
        var watermark = Watermark()
        watermark.observed(
            [stream(1, offset: 10, unread: 5), stream(2, offset: 0, unread: 7)], isBehind: false, wallTime: at(1))
        #expect(!watermark.isWaitingForBatches)
        // It grows as fast as it is read; a stream that is gone was read to its end.
        watermark.observed([stream(1, offset: 14, unread: 90)], isBehind: false, wallTime: at(2))
        #expect(!watermark.isWaitingForBatches)
        watermark.observed(
            [stream(1, offset: 15, unread: 90), stream(3, offset: 0, unread: 8)], isBehind: false, wallTime: at(3))
        #expect(watermark.isWaitingForBatches)
        watermark.turned(progress(), now: .zero)
        #expect(watermark.value == at(1))
    }

    @Test func waitsUntilWhatWasReadIsInABatchAndSealedAndAcknowledged() {
        var watermark = Watermark()
        watermark.observed([stream(1, offset: 10, unread: 0)], isBehind: false, wallTime: at(1))
        watermark.turned(progress(holdsBlock: true), now: .zero + .seconds(1))
        // In a batch that was open already, and another that opened just then.
        watermark.turned(progress(open: .zero), now: .zero + .seconds(2))
        watermark.turned(progress(open: .zero + .seconds(2)), now: .zero + .seconds(3))
        #expect(watermark.value == nil)
        watermark.turned(progress(open: .zero + .seconds(3), pending: 7, next: 9), now: .zero + .seconds(4))
        watermark.turned(progress(pending: 8, next: 12), now: .zero + .seconds(5))
        #expect(watermark.value == nil)
        watermark.turned(progress(pending: 9, next: 12), now: .zero + .seconds(6))
        #expect(watermark.value == at(1))
    }

    @Test func anInputThatDoesNotKnowWhatWaitsHoldsIt() {
        var watermark = Watermark()
        watermark.observed([], isBehind: true, wallTime: at(1))
        watermark.turned(progress(), now: .zero)
        #expect(watermark.value == nil)
        watermark.observed([], isBehind: false, wallTime: at(2))
        watermark.turned(progress(), now: .zero)
        #expect(watermark.value == at(2))
        watermark.observed([stream(1, offset: 0, unread: nil)], isBehind: true, wallTime: at(3))
        watermark.turned(progress(), now: .zero)
        #expect(watermark.value == at(2))
    }

    @Test func neverGoesBackWhereTheClockDoes() {
        var watermark = Watermark()
        watermark.observed([], isBehind: false, wallTime: at(9))
        watermark.turned(progress(), now: .zero)
        watermark.observed([], isBehind: false, wallTime: at(5))
        watermark.turned(progress(), now: .zero)
        #expect(watermark.value == at(9))
    }
}
