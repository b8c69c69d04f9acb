import Base
import NIOCore
import Records

extension RecordBatch {
    /// Gives the sealed batch that fills the buffer another producer identity and sums it anew. Its records are not touched.
    ///
    /// - Precondition: the readable bytes are one whole batch.
    public static func patch(identity: ProducerIdentity, baseSequence: Int32, in buffer: inout ByteBuffer) {
        let start = buffer.readerIndex
        precondition(buffer.readableBytes >= BatchLayout.headerBytes)
        buffer.setInteger(identity.id.rawValue, at: start + BatchLayout.producerID)
        buffer.setInteger(identity.epoch.rawValue, at: start + BatchLayout.producerEpoch)
        buffer.setInteger(baseSequence, at: start + BatchLayout.baseSequence)
        let sum = buffer.withUnsafeReadableBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[BatchLayout.attributes...]))
        }
        buffer.setInteger(sum, at: start + BatchLayout.crc)
    }
}
