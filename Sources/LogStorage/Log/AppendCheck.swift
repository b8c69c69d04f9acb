import Base
import NIOCore
import Records

/// What must hold of batches before any of their bytes is written.
struct AppendCheck {
    var config: LogConfig
    var origin: AppendOrigin
    var now: Timestamp
    /// What one batch may grow to where its records are read.
    var decompressedMax: ByteCount

    /// The headers of all batches in the bytes. Nothing is believed that was not compared with the bytes at hand.
    func headers(in bytes: ByteBuffer) throws(AppendError) -> [BatchHeader] {
        guard bytes.readableBytes > 0 else { throw AppendError(.corruptBatch, "no batch to append") }
        guard bytes.readableBytes <= config.segmentBytes.bytes || origin == .replica else {
            throw AppendError(
                .messageTooLarge, "\(bytes.readableBytes) bytes, segment.bytes is \(config.segmentBytes.bytes)")
        }
        var headers: [BatchHeader] = []
        var failure: AppendError?
        bytes.withUnsafeReadableBytes { all in
            var at = 0
            do throws(AppendError) {
                while at < all.count {
                    let rest = UnsafeRawBufferPointer(rebasing: all[at...])
                    let header = try header(rest)
                    headers.append(header)
                    at += header.byteCount
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        if origin == .client, config.compacts || config.validatesRecords {
            try checkRecords(bytes, headers)
        }
        return headers
    }

    private func header(_ bytes: UnsafeRawBufferPointer) throws(AppendError) -> BatchHeader {
        let header: BatchHeader
        do throws(RecordError) { header = try BatchHeader(bytes) } catch {
            let code: AppendError.Code =
                switch error.code {
                case .unsupportedMagic: .unsupportedMagic
                case .unsupportedCodec: .unsupportedCodec
                default: .corruptBatch
                }
            throw AppendError(code, error.message)
        }
        if header.byteCount > bytes.count {
            throw AppendError(
                .corruptBatch, "the batch claims \(header.byteCount) bytes, \(bytes.count) came")
        }
        if header.byteCount > config.batchBytesMax.bytes, origin == .client {
            throw AppendError(
                .messageTooLarge,
                "the batch has \(header.byteCount) bytes, max.message.bytes is \(config.batchBytesMax.bytes)")
        }
        let sum = CRC32C.checksum(
            UnsafeRawBufferPointer(rebasing: bytes[BatchLayout.attributes..<header.byteCount]))
        guard sum == header.crc else {
            throw AppendError(.corruptBatch, "the batch has CRC \(sum), its header says \(header.crc)")
        }
        if origin != .replica { try checkContents(header) }
        return header
    }

    private func checkContents(_ header: BatchHeader) throws(AppendError) {
        guard header.recordCount > 0, header.isDense else {
            throw AppendError(
                .invalidRecord,
                "\(header.recordCount) records with a last offset delta of \(header.lastOffsetDelta)")
        }
        guard origin == .client else { return }
        if header.isControl { throw AppendError(.invalidRecord, "a client may not write a control batch") }
        if header.isIdempotent,
            header.producerID < ProducerID(0) || header.baseSequence < 0 || header.producerEpoch < ProducerEpoch(0)
        {
            throw AppendError(
                .invalidRecord,
                "producer \(header.producerID) sent epoch \(header.producerEpoch), sequence \(header.baseSequence)")
        }
        try checkTime(header)
    }

    private func checkTime(_ header: BatchHeader) throws(AppendError) {
        guard config.timestampType == .createTime else { return }
        if header.timestampType == .logAppendTime {
            throw AppendError(.invalidTimestamp, "a producer may not set LogAppendTime on a CreateTime topic")
        }
        if let after = config.timestampAfterMax, header.maxTimestamp > now + after {
            throw AppendError(
                .invalidTimestamp,
                "a record is of \(header.maxTimestamp), more than message.timestamp.after.max.ms past \(now)")
        }
        if let before = config.timestampBeforeMax, header.baseTimestamp.milliseconds >= 0,
            now - header.baseTimestamp > before
        {
            throw AppendError(
                .invalidTimestamp,
                "a record is of \(header.baseTimestamp), more than message.timestamp.before.max.ms before \(now)")
        }
    }

    private func checkRecords(_ bytes: ByteBuffer, _ headers: [BatchHeader]) throws(AppendError) {
        var at = bytes.readerIndex
        for header in headers {
            var hasKeys = true
            do throws(RecordError) {
                let batch = try RecordBatch(bytes.getSlice(at: at, length: header.byteCount)!)
                var records = try batch.records(decompressedMax: decompressedMax)
                try records.forEachUnsafe { hasKeys = hasKeys && $0.key != nil }
            } catch { throw AppendError(.invalidRecord, "a record can't be read: \(error.message)") }
            guard hasKeys || !config.compacts else {
                throw AppendError(.invalidRecord, "a compacted topic takes no record without a key")
            }
            at += header.byteCount
        }
    }
}
