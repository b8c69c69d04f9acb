/// Where the fields of a record batch v2 stand (KIP-98). Big-endian; the CRC covers everything from `attributes` on, so base
/// offset and leader epoch can be patched without a new sum.
///
/// ```
///  0 | baseOffset i64
///  8 | batchLength i32            bytes after this field
/// 12 | partitionLeaderEpoch i32
/// 16 | magic i8 = 2
/// 17 | crc u32
/// 21 | attributes i16             bits 0–2 codec, 3 log-append time, 4 transactional, 5 control, 6 delete horizon
/// 23 | lastOffsetDelta i32
/// 27 | baseTimestamp i64
/// 35 | maxTimestamp i64
/// 43 | producerId i64
/// 51 | producerEpoch i16
/// 53 | baseSequence i32
/// 57 | recordCount i32
/// 61 | records, compressed as a whole where a codec is set
/// ```
public enum BatchLayout {
    public static let headerBytes = 61
    /// The bytes before those that `batchLength` counts.
    public static let prefixBytes = 12
    /// What has to be read before `magic` is known.
    public static let magicEnd = 17
    public static let currentMagic: Int8 = 2

    public static let baseOffset = 0
    public static let batchLength = 8
    public static let partitionLeaderEpoch = 12
    public static let magic = 16
    public static let crc = 17
    public static let attributes = 21
    public static let lastOffsetDelta = 23
    public static let baseTimestamp = 27
    public static let maxTimestamp = 35
    public static let producerID = 43
    public static let producerEpoch = 51
    public static let baseSequence = 53
    public static let recordCount = 57

    /// The smallest record: a length and six one-byte fields.
    static let recordBytesMin = 7
}

/// The bits of a batch that say how to read it.
public struct BatchAttributes: OptionSet, Sendable, Hashable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    static let codecMask: UInt16 = 0b111
    /// Every record carries the time of its append, which stands in `maxTimestamp`.
    public static let logAppendTime = BatchAttributes(rawValue: 1 << 3)
    public static let transactional = BatchAttributes(rawValue: 1 << 4)
    public static let control = BatchAttributes(rawValue: 1 << 5)
    /// `baseTimestamp` is the time from which compaction may drop the batch's tombstones (KIP-534).
    public static let deleteHorizon = BatchAttributes(rawValue: 1 << 6)
}

/// What a record's timestamp tells.
public enum TimestampType: Sendable, Hashable {
    /// When the producer made it.
    case createTime
    /// When the broker appended it.
    case logAppendTime
}
