/// A size in bytes, so that no bare number stands for one.
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var bytes: Int

    @inlinable public init(_ bytes: Int) { self.bytes = bytes }

    public static let zero = ByteCount(0)
    @inlinable public static func bytes(_ count: Int) -> ByteCount { ByteCount(count) }
    @inlinable public static func kib(_ count: Int) -> ByteCount { ByteCount(count << 10) }
    @inlinable public static func mib(_ count: Int) -> ByteCount { ByteCount(count << 20) }
    @inlinable public static func gib(_ count: Int) -> ByteCount { ByteCount(count << 30) }

    @inlinable public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
    @inlinable public static func + (left: ByteCount, right: ByteCount) -> ByteCount {
        ByteCount(left.bytes + right.bytes)
    }

    /// `64KiB`, `1GiB`, or `1500B` where no larger unit divides the size: what `Settings` reads back.
    public var description: String {
        for (unit, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes != 0 {
            if bytes & (1 << shift - 1) == 0 { return "\(bytes >> shift)\(unit)" }
        }
        return "\(bytes)B"
    }
}
