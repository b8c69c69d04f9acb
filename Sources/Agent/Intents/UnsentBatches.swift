import DequeModule
import KafkaClient
import NIOCore

/// The bytes of sealed batches until they are sent for the first time, within a budget: beyond it the oldest go first, for they wait for a
/// broker that does not take them, and are read back from the ring when it does.
struct UnsentBatches {
    static let bytesMax = 4 << 20

    private var kept: [BatchID: ByteBuffer] = [:]
    /// In the order of their seals; those that went are skipped. Never much longer than what is kept, however long the first one waits.
    private(set) var order: Deque<BatchID> = []
    private(set) var byteCount = 0

    mutating func keep(_ bytes: ByteBuffer, of id: BatchID) {
        kept[id] = bytes
        order.append(id)
        byteCount += bytes.readableBytes
        while byteCount > Self.bytesMax, let oldest = order.first { drop(oldest) }
    }

    mutating func take(_ id: BatchID) -> ByteBuffer? {
        guard let bytes = kept.removeValue(forKey: id) else { return nil }
        byteCount -= bytes.readableBytes
        while let first = order.first, kept[first] == nil { order.removeFirst() }
        if order.count > 2 * kept.count + 64 { order.removeAll { kept[$0] == nil } }
        return bytes
    }

    mutating func drop(_ id: BatchID) { _ = take(id) }
}
