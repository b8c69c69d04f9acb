import Base
import NIOCore
import Records

/// The batches of one append, checked, as they will be written.
///
/// Only headers change on the way to the disk. The bytes are shared with the request that brought them, so a patch in place would first
/// copy them all; instead the header of a single batch, which is what producers send, is patched in 61 bytes of its own and written
/// together with the untouched rest.
struct StagedBatches {
    private(set) var headers: [BatchHeader]
    private var bytes: ByteBuffer
    /// The only batch's header, once it was patched.
    private var head: [UInt8] = []

    init(_ bytes: ByteBuffer, headers: [BatchHeader]) {
        self.bytes = bytes
        self.headers = headers
    }

    var byteCount: Int { bytes.readableBytes }
    var next: Offset { headers[headers.count - 1].nextOffset }

    /// Gives the batches their places in the log. No CRC covers them.
    mutating func setOffsets(from next: Offset, _ epoch: LeaderEpoch) throws(AppendError) {
        if headers.count == 1 {
            return try patchHead { head, _ in
                head.storeBigEndian(next.rawValue, at: BatchLayout.baseOffset)
                head.storeBigEndian(epoch.rawValue, at: BatchLayout.partitionLeaderEpoch)
            }
        }
        var base = next
        try eachInPlace { header, bytes, at in
            RecordBatch.patch(baseOffset: base, leaderEpoch: epoch, in: &bytes, at: at)
            base = base + Int64(header.lastOffsetDelta) + 1
        }
    }

    /// Stamps every record with the time of its append, and sums the batches anew.
    mutating func setTime(_ now: Timestamp) throws(AppendError) {
        guard headers.count == 1 else {
            return try eachInPlace { _, bytes, at in RecordBatch.patch(logAppendTime: now, in: &bytes, at: at) }
        }
        let attributes = headers[0].attributes.union(.logAppendTime).rawValue
        try patchHead { head, body in
            head.storeBigEndian(attributes, at: BatchLayout.attributes)
            head.storeBigEndian(now.milliseconds, at: BatchLayout.maxTimestamp)
            let sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: head[BatchLayout.attributes...]))
            head.storeBigEndian(CRC32C.checksum(body, continuing: sum), at: BatchLayout.crc)
        }
    }

    /// Writes everything at the segment's end; nothing is counted yet.
    func write(to segment: Segment) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeReadableBytes { bytes in
            head.withUnsafeBytes { head in
                do throws(FileError) {
                    if head.isEmpty { return try segment.append(bytes) }
                    try segment.append(head, UnsafeRawBufferPointer(rebasing: bytes[head.count...]))
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
    }

    private mutating func patchHead(
        _ patch: (UnsafeMutableRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Void
    ) throws(AppendError) {
        var head = head
        let read = bytes.withUnsafeReadableBytes { bytes -> Result<BatchHeader, RecordError> in
            if head.isEmpty { head = Array(bytes[..<BatchLayout.headerBytes]) }
            let body = UnsafeRawBufferPointer(rebasing: bytes[BatchLayout.headerBytes...])
            return head.withUnsafeMutableBytes { head in
                patch(head, body)
                do throws(RecordError) { return .success(try BatchHeader(UnsafeRawBufferPointer(head))) } catch {
                    return .failure(error)
                }
            }
        }
        self.head = head
        switch read {
        case .success(let header): headers[0] = header
        case .failure(let error): throw AppendError(.corruptBatch, error.message)
        }
    }

    private mutating func eachInPlace(
        _ patch: (BatchHeader, inout ByteBuffer, Int) -> Void
    ) throws(AppendError) {
        var at = bytes.readerIndex
        for index in headers.indices {
            patch(headers[index], &bytes, at)
            do throws(RecordError) { headers[index] = try BatchHeader(bytes, at: at) } catch {
                throw AppendError(.corruptBatch, error.message)
            }
            at += headers[index].byteCount
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func storeBigEndian<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        storeBytes(of: number.bigEndian, toByteOffset: offset, as: Number.self)
    }
}
