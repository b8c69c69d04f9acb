import Base

#if canImport(Glibc)
    import Glibc
#endif

/// Names one physical file, or one journal, within a state directory.
///
/// Given out once, when the stream is first seen; a number that stands in an intent or a checkpoint is never given out again.
public struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable public static func < (left: StreamID, right: StreamID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { String(rawValue) }
}

/// The record key: `host/path` or `host/unit`. A source keeps its key, and so its partition and order, while its files rotate: it has
/// several streams over time, and the older ones are read first.
public struct SourceKey: Hashable, Sendable, CustomStringConvertible {
    /// The key as it goes onto the wire. File names are bytes: what isn't UTF-8 is kept as it is.
    public let bytes: [UInt8]

    public init(_ text: String) { bytes = Array(text.utf8) }
    public init(bytes: [UInt8]) { self.bytes = bytes }

    public var text: String { String(decoding: bytes, as: UTF8.self) }
    public var description: String { text }
}

/// A place between two lines of a stream, opaque to everybody but the input that made it; at most 1 KiB.
///
/// Holds what the input needs to find the place again after a restart: identity of the file and offset, or the journal's cursor.
public struct StreamPosition: Hashable, Sendable {
    public static let bytesMax = ByteCount.kib(1)

    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        precondition(bytes.count <= Self.bytesMax.bytes, "a position of \(bytes.count) bytes")
        self.bytes = bytes
    }
}

/// Where a stream stood when its bytes were last sealed: what an input gets back at start.
public struct StreamCheckpoint: Hashable, Sendable {
    public var stream: StreamID
    public var source: SourceKey
    public var position: StreamPosition

    public init(stream: StreamID, source: SourceKey, position: StreamPosition) {
        self.stream = stream
        self.source = source
        self.position = position
    }
}

/// What all blocks of a source share, made once per source: compare by identity (`===`) to reuse what was prepared for it.
public final class LineOrigin: Sendable {
    public let source: SourceKey
    public let topic: String
    /// Headers of every record from here: `format` (`nginx_access`, `json`, …) and the configured labels.
    public let headers: [(name: String, value: String)]
    /// What is left out of it; nil where all is shipped as it is.
    let relief: Relief?

    public init(
        source: SourceKey, topic: String, headers: [(name: String, value: String)] = [],
        relief: ReliefSettings? = nil
    ) {
        self.source = source
        self.topic = topic
        self.headers = headers
        self.relief = relief.map { Relief($0, source: source) }
    }
}

/// One read from one stream: complete lines, one after the other, each ending with `\n`, never empty.
///
/// A line is the raw bytes between two newlines: nothing is decoded, a `\r` before the newline is kept, and an empty line is a line.
/// The block owns its buffer until the last copy of it goes; then the buffer is used for another read.
///
/// To consume one in several steps (a batch was full in the middle) keep the byte where the next line begins:
///
///     var byte = 0
///     while byte < block.byteCount {
///         byte += block.withBytes(from: byte) { builder.appendLines($0, …) }  // how many bytes fitted, whole lines
///         if builder.isFull { seal(upTo: block.position(atByte: byte), of: block.stream) }
///     }
public struct LineBlock: Sendable {
    /// How a boundary within the block becomes a position.
    indirect enum Positions: Sendable {
        /// The bytes of a file from `base.offset` on, as they stand there.
        case file(FilePosition)
        /// Entries of a journal as JSON, each beginning with its cursor.
        case journal(name: String)
        /// Messages of one segment of a spool: where the frame of each record ends. `base` is a position in that segment.
        case spool(base: SpoolPosition, frameEnds: [Int64])
        /// Records of another block, some left out or changed: where each ends there.
        case rewritten(LineBlock, ends: [Int])
    }

    public let stream: StreamID
    public let origin: LineOrigin
    /// How many bytes of lines there are, newlines included; at least one.
    public let byteCount: Int

    let buffer: LineBuffer
    /// Where the first line begins in the buffer; a file's bytes just before it stand in front (`FilePosition.tailBytesMax` of them at most).
    let start: Int
    let positions: Positions
    /// The position after the block, where it isn't that after its last byte: a line was cut, or bytes after it were skipped.
    let explicitEnd: StreamPosition?
    /// Where records end, counted from the block's start, where a record may be several lines; nil where each line is one.
    let recordEnds: [Int]?

    init(
        stream: StreamID, origin: LineOrigin, buffer: LineBuffer, start: Int, byteCount: Int, positions: Positions,
        end: StreamPosition? = nil, recordEnds: [Int]? = nil
    ) {
        precondition(byteCount > 0 && start >= 0 && start + byteCount <= buffer.capacity)
        self.stream = stream
        self.origin = origin
        self.buffer = buffer
        self.start = start
        self.byteCount = byteCount
        self.positions = positions
        self.explicitEnd = end
        self.recordEnds = recordEnds
    }

    public var source: SourceKey { origin.source }
    public var topic: String { origin.topic }

    /// The lines from the one that begins at `byte` to the end of the block. The pointer is valid within the closure only.
    @inline(__always)
    public func withBytes<Result>(from byte: Int = 0, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
        -> Result
    {
        precondition(byte >= 0 && byte <= byteCount)
        let lines = UnsafeRawBufferPointer(start: buffer.base + (start + byte), count: byteCount - byte)
        return try withExtendedLifetime(buffer) { try body(lines) }
    }

    /// Hands out the lines from the one that begins at `byte`, without their newlines, until `body` returns false.
    /// Returns the byte where the first line that wasn't taken begins, `byteCount` where all were.
    @inline(__always)
    public func forEachLine(from byte: Int = 0, _ body: (UnsafeRawBufferPointer) throws -> Bool) rethrows -> Int {
        try withBytes(from: byte) { bytes in
            var index = 0
            while index < bytes.count {
                let line = bytes.baseAddress! + index
                guard let newline = memchr(line, 0x0A, bytes.count - index) else { break }
                let length = UnsafeRawPointer(newline) - line
                if try !body(UnsafeRawBufferPointer(start: line, count: length)) { break }
                index += length + 1
            }
            return byte + index
        }
    }

    /// Hands out the records from the one that begins at `byte`, without their last newline, until `body` returns false. Returns the byte
    /// where the first that wasn't taken begins.
    func forEachRecord(from byte: Int = 0, _ body: (UnsafeRawBufferPointer) throws -> Bool) rethrows -> Int {
        guard let recordEnds else { return try forEachLine(from: byte, body) }
        return try withBytes { bytes in
            var start = byte
            for end in recordEnds where end > byte {
                if try !body(UnsafeRawBufferPointer(rebasing: bytes[start..<end - 1])) { break }
                start = end
            }
            return start
        }
    }

    /// The position of the boundary before `byte`, which is where a line begins or the end of the block: everything of the stream
    /// before it was read. Costs a hash of 64 bytes and an array; meant for once per seal, not per line.
    public func position(atByte byte: Int) -> StreamPosition {
        precondition(byte > 0 && byte <= byteCount, "byte \(byte) of \(byteCount)")
        if byte == byteCount, let explicitEnd { return explicitEnd }
        let boundary = start + byte
        precondition(buffer.base.load(fromByteOffset: boundary - 1, as: UInt8.self) == 0x0A, "not between two lines")
        return withExtendedLifetime(buffer) {
            switch positions {
            case .file(let base):
                let count = min(boundary, FilePosition.tailBytesMax)
                let tail = UnsafeRawBufferPointer(start: buffer.base + (boundary - count), count: count)
                return base.advanced(by: Int64(byte), tail: tail).encoded
            case .journal(let name):
                let lines = UnsafeRawBufferPointer(start: buffer.base + start, count: byte)
                return JournalPosition(journal: name, lastEntryOf: lines).encoded
            case .spool(var position, let frameEnds):
                guard let record = recordEnds?.firstIndex(of: byte) else {
                    preconditionFailure("not between two records")
                }
                position.offset = frameEnds[record]
                return position.encoded
            case .rewritten(let block, let ends):
                guard let record = recordEnds?.firstIndex(of: byte) else {
                    preconditionFailure("not between two records")
                }
                return block.position(atByte: ends[record])
            }
        }
    }

    /// The position after all of the block.
    public var end: StreamPosition { position(atByte: byteCount) }
}
