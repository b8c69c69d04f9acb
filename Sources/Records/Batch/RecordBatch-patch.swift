import Base
import NIOCore

// What a broker writes into a batch that it takes: in place, without touching a record. The buffer must be the only reference
// to its bytes, or NIO copies them first.
extension RecordBatch {
    /// Gives the batch that begins at `index` of `buffer` its place in the log. The CRC does not cover either field.
    public static func patch(
        baseOffset: Offset, leaderEpoch: LeaderEpoch, in buffer: inout ByteBuffer, at index: Int
    ) {
        buffer.setInteger(baseOffset.rawValue, at: index + BatchLayout.baseOffset)
        buffer.setInteger(leaderEpoch.rawValue, at: index + BatchLayout.partitionLeaderEpoch)
    }

    /// Stamps the batch that begins at `index` of `buffer` with the time of its append, for every record in it, and sums it
    /// anew. The batch's length must have been checked.
    public static func patch(logAppendTime: Timestamp, in buffer: inout ByteBuffer, at index: Int) {
        let old: UInt16 = buffer.getInteger(at: index + BatchLayout.attributes)!
        let attributes = BatchAttributes(rawValue: old).union(.logAppendTime)
        buffer.setInteger(attributes.rawValue, at: index + BatchLayout.attributes)
        buffer.setInteger(logAppendTime.milliseconds, at: index + BatchLayout.maxTimestamp)
        patchCRC(in: &buffer, at: index)
    }

    /// Writes the sum of the batch that begins at `index` of `buffer`. The batch's length must have been checked.
    static func patchCRC(in buffer: inout ByteBuffer, at index: Int) {
        let length: Int32 = buffer.getInteger(at: index + BatchLayout.batchLength)!
        let start = index - buffer.readerIndex
        let sum = buffer.withUnsafeReadableBytes { all in
            checksum(of: UnsafeRawBufferPointer(rebasing: all[start..<start + BatchLayout.prefixBytes + Int(length)]))
        }
        buffer.setInteger(sum, at: index + BatchLayout.crc)
    }
}
