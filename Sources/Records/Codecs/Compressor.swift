import CDeflate
import CLZ4
import CSnappy
import CZstd

/// Compresses batch after batch with the same contexts and the same output memory: each codec's context is made at its first
/// use (half a mebibyte for gzip) and used again from then on.
///
/// One thread at a time; hold one per compressing thread, not one per partition.
public struct Compressor: ~Copyable, @unchecked Sendable {
    private var deflater: Deflater?
    private var zstd: OpaquePointer?
    private var lz4: OpaquePointer?
    private var output = ScratchMemory()

    public init() {}

    deinit {
        if let deflater { deflater.free() }
        ZSTD_freeCCtx(zstd)
        LZ4F_freeCompressionContext(lz4)
        output.free()
    }

    /// Compresses `source`. The result is valid until the next call; for `.none` it is `source` itself.
    ///
    /// - Parameter level: nil is the codec's default; others are held to the codec's range.
    /// - Throws: `.compressionFailed` where memory ran out.
    public mutating func compress(
        _ source: UnsafeRawBufferPointer, codec: Codec, level: Int? = nil
    ) throws(RecordError) -> UnsafeRawBufferPointer {
        let level = Int32(
            codec.levels.map { min(max(level ?? codec.defaultLevel!, $0.lowerBound), $0.upperBound) } ?? 0)
        switch codec {
        case .none: return source
        case .gzip: return try gzip(source, level: level)
        case .snappy: return try snappy(source)
        case .lz4: return try lz4(source, level: level)
        case .zstd: return try zstd(source, level: level)
        }
    }

    private mutating func gzip(_ source: UnsafeRawBufferPointer, level: Int32) throws(RecordError)
        -> UnsafeRawBufferPointer
    {
        if let deflater, deflater.level != level {
            deflater.free()
            self.deflater = nil
        }
        if deflater == nil { deflater = try Deflater(level: level) }
        guard let deflater else { throw .noMemory(.gzip) }
        output.reserve(libdeflate_gzip_compress_bound(deflater.compressor, source.count))
        return try deflater.compress(source, into: output.bytes)
    }

    private mutating func zstd(_ source: UnsafeRawBufferPointer, level: Int32) throws(RecordError)
        -> UnsafeRawBufferPointer
    {
        if zstd == nil { zstd = ZSTD_createCCtx() }
        guard let zstd else { throw .noMemory(.zstd) }
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level)
        output.reserve(ZSTD_compressBound(source.count))
        let count = ZSTD_compress2(zstd, output.bytes.baseAddress, output.bytes.count, source.baseAddress, source.count)
        guard ZSTD_isError(count) == 0 else {
            throw RecordError(.compressionFailed, "zstd: \(String(cString: ZSTD_getErrorName(count)))")
        }
        return output.prefix(count)
    }

    /// One frame of independent 64 KiB blocks: the only kind that the Java client reads.
    private mutating func lz4(_ source: UnsafeRawBufferPointer, level: Int32) throws(RecordError)
        -> UnsafeRawBufferPointer
    {
        if lz4 == nil { LZ4F_createCompressionContext(&lz4, UInt32(LZ4F_VERSION)) }
        guard let lz4 else { throw .noMemory(.lz4) }
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.blockSizeID = LZ4F_max64KB
        preferences.compressionLevel = level
        preferences.autoFlush = 1
        var options = LZ4F_compressOptions_t()
        options.stableSrc = 1
        output.reserve(LZ4F_compressBound(source.count, &preferences) + Int(LZ4F_HEADER_SIZE_MAX))
        var count = 0
        // Three steps, each of which returns what it wrote.
        for step in 0..<3 {
            let (place, room) = (output.bytes.baseAddress! + count, output.bytes.count - count)
            let written =
                switch step {
                case 0: LZ4F_compressBegin(lz4, place, room, &preferences)
                case 1: LZ4F_compressUpdate(lz4, place, room, source.baseAddress, source.count, &options)
                default: LZ4F_compressEnd(lz4, place, room, &options)
                }
            guard LZ4F_isError(written) == 0 else {
                throw RecordError(.compressionFailed, "lz4: \(String(cString: LZ4F_getErrorName(written)))")
            }
            count += written
        }
        return output.prefix(count)
    }

    /// Compresses `source` as one raw snappy block, without the framing that Kafka puts around it: what Parquet and Avro hold.
    public mutating func snappyBlock(_ source: UnsafeRawBufferPointer) throws(RecordError) -> UnsafeRawBufferPointer {
        output.reserve(snappy_max_compressed_length(source.count))
        var written = output.bytes.count
        let status = snappy_compress(
            source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count,
            output.bytes.baseAddress!.assumingMemoryBound(to: CChar.self), &written)
        guard status == SNAPPY_OK else { throw RecordError(.compressionFailed, "snappy refused to compress") }
        return output.prefix(written)
    }

    /// Raw snappy blocks of 32 KiB in the xerial framing, as the Java client writes them.
    private mutating func snappy(_ source: UnsafeRawBufferPointer) throws(RecordError) -> UnsafeRawBufferPointer {
        let blocks = source.count / XerialFraming.blockBytes + 1
        let blockBytesMax = snappy_max_compressed_length(XerialFraming.blockBytes) + XerialFraming.lengthBytes
        output.reserve(XerialFraming.headerBytes + blocks * blockBytesMax)
        output.bytes.copyBytes(from: XerialFraming.header)
        var count = XerialFraming.headerBytes
        for start in stride(from: 0, to: source.count, by: XerialFraming.blockBytes) {
            let block = source[start..<min(start + XerialFraming.blockBytes, source.count)]
            let place = count + XerialFraming.lengthBytes
            var written = output.bytes.count - place
            let status = snappy_compress(
                (source.baseAddress! + start).assumingMemoryBound(to: CChar.self), block.count,
                (output.bytes.baseAddress! + place).assumingMemoryBound(to: CChar.self), &written)
            guard status == SNAPPY_OK else { throw RecordError(.compressionFailed, "snappy refused to compress") }
            output.bytes.storeBytes(of: UInt32(written).bigEndian, toByteOffset: count, as: UInt32.self)
            count = place + written
        }
        return output.prefix(count)
    }
}

/// The framing around raw snappy blocks that the xerial library brought to Kafka:
/// `82 53 4e 41 50 50 59 00 | version i32 = 1 | compatible i32 = 1`, then `length i32 | block` until the end.
enum XerialFraming {
    static let magic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
    static let header: [UInt8] = magic + [0, 0, 0, 1, 0, 0, 0, 1]
    static let headerBytes = 16
    static let lengthBytes = 4
    static let blockBytes = 32 << 10
}

/// Writes a whole gzip member at once, which a batch is: about twice as fast as a stream of zlib at the same level, which has to be ready for
/// more (docs/decisions/0005-gzip-by-libdeflate.md). Reading stays with zlib, for a batch of another's may be a stream of any length.
private struct Deflater {
    let compressor: OpaquePointer
    let level: Int32

    init(level: Int32) throws(RecordError) {
        guard let compressor = libdeflate_alloc_compressor(level) else { throw .noMemory(.gzip) }
        self.compressor = compressor
        self.level = level
    }

    func free() { libdeflate_free_compressor(compressor) }

    func compress(
        _ source: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(RecordError) -> UnsafeRawBufferPointer {
        let count = libdeflate_gzip_compress(
            compressor, source.baseAddress, source.count, output.baseAddress, output.count)
        guard count > 0 else { throw RecordError(.compressionFailed, "gzip did not fit its own bound") }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(output)[..<count])
    }
}

/// Memory that grows to what was asked for and is used again.
private struct ScratchMemory {
    private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    mutating func reserve(_ count: Int) {
        guard bytes.count < count else { return }
        bytes.deallocate()
        bytes = .allocate(byteCount: count, alignment: 16)
    }

    func prefix(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[..<count]) }

    func free() { bytes.deallocate() }
}

extension RecordError {
    static func noMemory(_ codec: Codec) -> RecordError {
        RecordError(.compressionFailed, "\(codec): no memory for its context")
    }
}
