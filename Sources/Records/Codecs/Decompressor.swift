import Base
import CLZ4
import CSnappy
import CZlib
import CZstd
import NIOCore

/// Decompresses batch after batch with the same contexts. What a peer sent is never believed: memory grows with what really
/// comes out, and never beyond the caller's limit.
///
/// One thread at a time.
public struct Decompressor: ~Copyable, @unchecked Sendable {
    private var inflater: UnsafeMutablePointer<z_stream>?
    private var zstd: OpaquePointer?
    private var lz4: OpaquePointer?

    public init() {}

    deinit {
        if let inflater {
            inflateEnd(inflater)
            inflater.deallocate()
        }
        ZSTD_freeDCtx(zstd)
        LZ4F_freeDecompressionContext(lz4)
    }

    /// Decompresses `source`: gzip members, zstd and lz4 frames, one or several; snappy raw or in the xerial framing.
    ///
    /// - Throws: `.tooLarge` where the result would be larger than `max`, `.undecodable`, `.compressionFailed` without memory.
    public mutating func decompress(
        _ source: UnsafeRawBufferPointer, codec: Codec, max: ByteCount
    ) throws(RecordError) -> ByteBuffer {
        switch codec {
        case .none:
            guard source.count <= max.bytes else { throw .tooLarge(codec, max) }
            return ByteBuffer(bytes: source)
        case .gzip: return try gunzip(source, max: max)
        case .snappy: return try Snappy.decompress(source, max: max)
        case .lz4: return try unlz4(source, max: max)
        case .zstd: return try unzstd(source, max: max)
        }
    }

    private mutating func gunzip(_ source: UnsafeRawBufferPointer, max: ByteCount) throws(RecordError) -> ByteBuffer {
        if inflater == nil { inflater = try Self.makeInflater() }
        guard let stream = inflater else { throw .noMemory(.gzip) }
        inflateReset(stream)
        // A gzip member ends with its size; as a hint only.
        let stated = source.count >= 18 ? source.loadUnaligned(fromByteOffset: source.count - 4, as: UInt32.self) : 0
        var output = BoundedOutput(codec: .gzip, hint: Int(UInt32(littleEndian: stated)), max: max)
        var consumed = 0
        while true {
            var isAtEnd = false
            try output.write { (room) throws(RecordError) -> Int in
                stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress?.advanced(by: consumed).assumingMemoryBound(to: UInt8.self))
                stream.pointee.avail_in = UInt32(source.count - consumed)
                stream.pointee.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(room.count)
                let status = inflate(stream, Z_NO_FLUSH)
                isAtEnd = status == Z_STREAM_END
                let written = room.count - Int(stream.pointee.avail_out)
                let read = source.count - consumed - Int(stream.pointee.avail_in)
                guard isAtEnd || status == Z_OK && (written > 0 || read > 0) else {
                    throw .undecodable(.gzip, stream.pointee.msg.map { String(cString: $0) } ?? "cut short")
                }
                consumed += read
                return written
            }
            guard isAtEnd else { continue }
            if consumed == source.count { return output.bytes }
            inflateReset(stream)
        }
    }

    private static func makeInflater() throws(RecordError) -> UnsafeMutablePointer<z_stream> {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let gzipFraming: Int32 = 16
        guard
            inflateInit2_(stream, MAX_WBITS + gzipFraming, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            stream.deallocate()
            throw .noMemory(.gzip)
        }
        return stream
    }

    private mutating func unzstd(_ source: UnsafeRawBufferPointer, max: ByteCount) throws(RecordError) -> ByteBuffer {
        if zstd == nil { zstd = ZSTD_createDCtx() }
        guard let zstd else { throw .noMemory(.zstd) }
        ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only)
        let stated = ZSTD_getFrameContentSize(source.baseAddress, source.count)
        // The two largest values say "unknown" and "no frame".
        var output = BoundedOutput(codec: .zstd, hint: stated > UInt64(Int.max) ? 0 : Int(stated), max: max)
        var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        while true {
            var isAtEnd = false
            try output.write { (room) throws(RecordError) -> Int in
                let before = input.pos
                var written = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let status = ZSTD_decompressStream(zstd, &written, &input)
                guard ZSTD_isError(status) == 0 else {
                    throw .undecodable(.zstd, String(cString: ZSTD_getErrorName(status)))
                }
                isAtEnd = status == 0
                guard input.pos > before || written.pos > 0 else { throw .undecodable(.zstd, "cut short") }
                return written.pos
            }
            if isAtEnd && input.pos == input.size { return output.bytes }
        }
    }

    private mutating func unlz4(_ source: UnsafeRawBufferPointer, max: ByteCount) throws(RecordError) -> ByteBuffer {
        if lz4 == nil { LZ4F_createDecompressionContext(&lz4, UInt32(LZ4F_VERSION)) }
        guard let lz4 else { throw .noMemory(.lz4) }
        LZ4F_resetDecompressionContext(lz4)
        var output = BoundedOutput(codec: .lz4, hint: 4 * source.count, max: max)
        var consumed = 0
        while true {
            var isAtEnd = false
            try output.write { (room) throws(RecordError) -> Int in
                var (written, read) = (room.count, source.count - consumed)
                let status = LZ4F_decompress(
                    lz4, room.baseAddress, &written, source.baseAddress.map { $0 + consumed }, &read, nil)
                guard LZ4F_isError(status) == 0 else {
                    throw .undecodable(.lz4, String(cString: LZ4F_getErrorName(status)))
                }
                isAtEnd = status == 0
                guard read > 0 || written > 0 else { throw .undecodable(.lz4, "cut short") }
                consumed += read
                return written
            }
            if isAtEnd && consumed == source.count { return output.bytes }
        }
    }
}

/// A buffer that grows as bytes come out of a codec, and throws when they are more than the limit.
private struct BoundedOutput {
    private(set) var bytes: ByteBuffer
    private let codec: Codec
    private let max: ByteCount
    /// What a hint may reserve before a byte has come out.
    private static let hintBytesMax = 1 << 20
    private static let roomBytesMin = 1 << 10

    init(codec: Codec, hint: Int, max: ByteCount) {
        self.codec = codec
        self.max = max
        // One byte of room more than the result needs lets the codec see its end in the same call.
        let start = Swift.max(Self.roomBytesMin, Swift.min(hint, max.bytes, Self.hintBytesMax) + 1)
        bytes = ByteBufferAllocator().buffer(capacity: start)
    }

    /// Lends `body` at least one byte of room; `body` returns how many it wrote.
    mutating func write(_ body: (UnsafeMutableRawBufferPointer) throws(RecordError) -> Int) throws(RecordError) {
        if bytes.writableBytes == 0 { bytes.reserveCapacity(minimumWritableBytes: bytes.readableBytes) }
        // One byte beyond the limit shows that there is more than the limit.
        let allowed = max.bytes - bytes.readableBytes + 1
        try bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { (room) throws(RecordError) -> Int in
            try body(UnsafeMutableRawBufferPointer(rebasing: room[..<Swift.min(room.count, allowed)]))
        }
        guard bytes.readableBytes <= max.bytes else { throw .tooLarge(codec, max) }
    }
}

private enum Snappy {
    /// The most that a byte of snappy can stand for: a copy of 64 bytes takes three.
    static let expansionMax = 22

    static func decompress(_ source: UnsafeRawBufferPointer, max: ByteCount) throws(RecordError) -> ByteBuffer {
        var output = ByteBuffer()
        guard source.count >= XerialFraming.headerBytes, source[..<8].elementsEqual(XerialFraming.magic) else {
            try appendBlock(source, to: &output, max: max)
            return output
        }
        var place = XerialFraming.headerBytes
        while place < source.count {
            guard source.count - place >= XerialFraming.lengthBytes else { throw .undecodable(.snappy, "cut short") }
            let length = Int(source.bigEndian(at: place, as: Int32.self))
            place += XerialFraming.lengthBytes
            guard length >= 0, length <= source.count - place else { throw .undecodable(.snappy, "cut short") }
            try appendBlock(
                UnsafeRawBufferPointer(rebasing: source[place..<place + length]), to: &output, max: max)
            place += length
        }
        return output
    }

    private static func appendBlock(
        _ block: UnsafeRawBufferPointer, to output: inout ByteBuffer, max: ByteCount
    ) throws(RecordError) {
        let source = block.baseAddress?.assumingMemoryBound(to: CChar.self)
        var length = 0
        guard block.count > 0, snappy_uncompressed_length(source, block.count, &length) == SNAPPY_OK else {
            throw .undecodable(.snappy, "no length")
        }
        guard length <= expansionMax * block.count else { throw .undecodable(.snappy, "its length can't be true") }
        guard length <= max.bytes - output.readableBytes else { throw .tooLarge(.snappy, max) }
        guard length > 0 else { return }
        try output.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { (room) throws(RecordError) -> Int in
            var written = room.count
            let target = room.baseAddress!.assumingMemoryBound(to: CChar.self)
            guard snappy_uncompress(source, block.count, target, &written) == SNAPPY_OK, written == length else {
                throw .undecodable(.snappy, "damaged block")
            }
            return written
        }
    }
}

extension RecordError {
    fileprivate static func tooLarge(_ codec: Codec, _ max: ByteCount) -> RecordError {
        RecordError(.tooLarge, "the batch decompresses (\(codec)) to more than the limit of \(max)")
    }

    fileprivate static func undecodable(_ codec: Codec, _ why: String) -> RecordError {
        RecordError(.undecodable, "the batch's records are not \(codec): \(why)")
    }
}
