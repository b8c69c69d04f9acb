import KafkaClient
import NIOCore
import Testing

@testable import Agent

@Suite struct UnsentBatchesTests {
    private var unsent = UnsentBatches()

    private func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: count) }

    @Test mutating func aBatchIsGivenOnce() {
        unsent.keep(bytes(10), of: BatchID(1))
        #expect(unsent.take(BatchID(1)) == bytes(10))
        #expect(unsent.take(BatchID(1)) == nil)
        #expect(unsent.byteCount == 0)
    }

    @Test mutating func beyondTheBudgetTheOldestGo() {
        for id in 1...5 { unsent.keep(bytes(1 << 20), of: BatchID(UInt64(id))) }
        #expect(unsent.byteCount <= UnsentBatches.bytesMax)
        #expect(unsent.take(BatchID(1)) == nil)
        #expect(unsent.take(BatchID(5)) != nil)
    }

    @Test mutating func oneThatWaitsForeverDoesNotMakeTheOthersPileUp() {
        unsent.keep(bytes(10), of: BatchID(1))
        for id in 2...10_000 {
            unsent.keep(bytes(10), of: BatchID(UInt64(id)))
            _ = unsent.take(BatchID(UInt64(id)))
        }
        #expect(unsent.order.count < 100)
        #expect(unsent.take(BatchID(1)) != nil)
    }
}
