/// Stands in the state directory once all files that a pattern named at first are there: `start` holds for those alone, and whatever is
/// found later is read from its beginning, however often the agent starts again.
///
///     | kind u8 = 3 | version u8 = 1 | pattern hash u64 |
struct PatternMark: Hashable, Sendable {
    let hash: UInt64

    init(pattern: String) { hash = StableHash.of(pattern) }

    var encoded: StreamPosition {
        var writer = PositionWriter(.pattern, capacity: 10)
        writer.write(UInt8(1))
        writer.write(hash)
        return StreamPosition(bytes: writer.bytes)
    }

    /// Nil where the bytes are no pattern's mark.
    init?(_ position: StreamPosition) {
        guard var reader = PositionReader(position, .pattern), reader.read(UInt8.self) == 1,
            let hash = reader.read(UInt64.self)
        else { return nil }
        self.hash = hash
    }
}
