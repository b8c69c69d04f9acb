import NIOCore

/// Walks the batches that stand one after the other in a buffer: a Produce request's, a Fetch response's, a segment's.
///
/// A batch cut short at the end, as Fetch responses and torn files have it, ends the walk; it is left in `tail`.
public struct RecordBatchCursor: Sendable {
    /// What has not been walked yet.
    public private(set) var tail: ByteBuffer

    public init(_ bytes: ByteBuffer) { tail = bytes }

    /// Bytes not walked yet; after `next` returned nil, those of the batch cut short.
    public var tailByteCount: Int { tail.readableBytes }
    /// Where the next batch begins, as an index of the buffer that the cursor was made from.
    public var index: Int { tail.readerIndex }

    /// The next whole batch, or nil. After an error the cursor stands where it was.
    ///
    /// - Throws: `.unsupportedMagic` for the old message formats, `.corrupt`, `.unsupportedCodec`.
    public mutating func next() throws(RecordError) -> RecordBatch? {
        let (bytes, start) = (tail, tail.readerIndex)
        guard let length: Int32 = bytes.getInteger(at: start + BatchLayout.batchLength),
            let magic: Int8 = bytes.getInteger(at: start + BatchLayout.magic)
        else { return nil }
        guard magic == BatchLayout.currentMagic else { throw .unsupportedMagic(magic) }
        guard length >= BatchLayout.headerBytes - BatchLayout.prefixBytes else {
            throw RecordError(.corrupt, "batch length \(length) is shorter than a batch's header")
        }
        let byteCount = BatchLayout.prefixBytes + Int(length)
        guard let batch = bytes.getSlice(at: start, length: byteCount) else { return nil }
        let header = try BatchHeader(batch)
        tail.moveReaderIndex(forwardBy: byteCount)
        return RecordBatch(bytes: batch, header: header)
    }
}
