import Base
import KafkaClient

// What of the ring may be written over.
extension IntentLog {
    /// Whether a seal of so many bytes and batches can be appended, after letting go of acknowledged ones where that helps, and after moving pending
    /// ones that hold up the space of acknowledged ones. False: ask again once something was acknowledged, and seal nothing until then.
    ///
    /// - Precondition: a quarter of the ring at most.
    public func makeRoom(bytes: Int, batches: Int) throws(FileError) -> Bool {
        try checkHealth()
        precondition(bytes <= Int(ring.capacity) / 4, "a seal of \(bytes) bytes in a ring of \(capacity)")
        precondition(batches <= settings.intentsMax / 4)
        // They come before the seal, and take of the same space.
        try note()
        if fits(bytes, batches) { return true }
        try letGo(bytes: bytes, batches: batches)
        var moves = 0
        while !fits(bytes, batches), moves < Self.movesMax, try moveOldest(gaining: ring.capacity / 8) { moves += 1 }
        return fits(bytes, batches)
    }

    /// The same for a record about what is pending already.
    func makeSpace(_ bytes: Int) throws(FileError) -> Bool {
        try note()
        if hasSpaceForNote(bytes) { return true }
        try letGo(bytes: bytes, batches: 0, isUrgent: true)
        var moves = 0
        while !hasSpaceForNote(bytes), moves < Self.movesMax, try moveOldest(gaining: ring.capacity / 32) { moves += 1 }
        return hasSpaceForNote(bytes)
    }

    /// A turn must end: what is left is moved by the next one.
    private static let movesMax = 128
    /// So much is moved at once: little, or what is left empty at the ring's end before it would use up the space that moving needs.
    private var movedBytesMax: Int { min(1 << 20, Int(ring.capacity) / 64) }

    func hasSpace(_ bytes: Int, leaving reserve: Int = 0) -> Bool {
        let padded = IntentRecord.paddedBytes(bytes)
        let end = ring.start(after: head, bytes: padded) + UInt64(padded + reserve)
        // Whole blocks are written: the last one must not be that of the oldest record which is kept.
        let block = UInt64(DirectAccess.blockBytes)
        return end + block - 1 - (end + block - 1) % block <= tail - tail % block + ring.capacity
    }

    /// Notes leave a part of the ring to what is moved, so that something can be moved however full it is.
    func hasSpaceForNote(_ bytes: Int) -> Bool { hasSpace(bytes, leaving: Int(ring.capacity) / 16) }

    /// Seals leave a part of the ring to the notes about them, and to what is divided or moved.
    func fits(_ bytes: Int, _ batches: Int) -> Bool {
        hasSpace(bytes, leaving: Int(ring.capacity) / 8)
            && state.intents.count + batches <= settings.intentsMax
    }

    /// Gives up the space of the oldest acknowledged intents: what is asked for and a good part more, for it costs three syncs.
    private func letGo(bytes: Int, batches: Int, isUrgent: Bool = false) throws(FileError) {
        let needed = UInt64(2 * bytes) + ring.capacity / 8 + ring.capacity / 4
        let wantedTail = head + needed > ring.capacity ? head + needed - ring.capacity : 0
        let surplus = state.intents.count + batches > settings.intentsMax ? batches + settings.intentsMax / 4 : 0
        var count = 0
        for (index, intent) in state.intents.enumerated() {
            guard intent.acknowledged != nil else { break }
            // One that was moved stands far from its neighbours.
            if intent.record < wantedTail || index < surplus { count = index + 1 }
        }
        // A record is kept or given up as a whole.
        while count > 0, count < state.intents.count, state.intents[count].record == state.intents[count - 1].record {
            count -= 1
        }
        let newTail = state.intents.dropFirst(count).map(\.record).min() ?? head
        guard newTail > tail || (count > 0 && surplus > 0) else { return }
        // While more is on its way, not for every little that was acknowledged.
        guard isUrgent || newTail - tail >= ring.capacity / 8 || count == state.intents.count || surplus > 0 else {
            return
        }
        if count > 0 { freedThrough = state.intents[count - 1].batch.id }
        change { $0.intents.removeFirst(count) }
        // The checkpoint stands before anything is written over.
        try checkpoint(tail: newTail)
    }

    /// Copies the pending batches of the ring's oldest part to its head: a partition that takes nothing must not keep the space that others need. The
    /// acknowledged ones before them are let go. False where all of the ring moved would gain less than `least`: the rest is pending.
    private func moveOldest(gaining least: UInt64) throws(FileError) -> Bool {
        try note()
        let pending = state.intents.filter { $0.acknowledged == nil }.sorted {
            ($0.record, $0.place) < ($1.record, $1.place)
        }
        let live = pending.reduce(0) { $0 + $1.batch.byteCount }
        guard Int(head - tail) - live >= Int(least) else { return false }
        var moved: [BatchReplacement] = []
        var bytes = IntentRecord.headerBytes + 2
        // Whole records only: one of which a batch stays keeps its space.
        var place = pending.startIndex
        while place < pending.endIndex, pending[place].record < tail + ring.capacity / 2 {
            let record = pending[place...].prefix { $0.record == pending[place].record }
            let size = record.reduce(0) { $0 + BatchReplacement.byteCountMax(of: $1.batch) }
            guard bytes + size <= movedBytesMax || moved.isEmpty, hasSpace(bytes + size) else { break }
            // A damaged one stays where it is, until it is to be sent and is given up.
            let copies = record.compactMap { try? BatchReplacement(moving: $0.batch, storedBytes(of: $0)) }
            guard copies.count == record.count else { break }
            bytes += size
            moved += copies
            place = record.endIndex
        }
        guard !moved.isEmpty else { return false }
        try replace(moved, bytesMax: bytes)
        let newTail = state.intents.lazy.filter { $0.acknowledged == nil }.map(\.record).min() ?? head
        guard newTail > tail else { return false }
        if let gone = state.intents.last(where: { $0.acknowledged != nil && $0.record < newTail }) {
            freedThrough = max(gone.batch.id, freedThrough ?? gone.batch.id)
        }
        change { $0.intents.removeAll { $0.acknowledged != nil && $0.record < newTail } }
        try checkpoint(tail: newTail)
        return true
    }

    /// Appends the record of replacements and does what it says. Room for it was found after the last acknowledgements were noted.
    func replace(_ replacements: [BatchReplacement], bytesMax: Int) throws(FileError) {
        var places: [[Int]] = []
        let position = try append(.replacements, bytesMax: bytesMax) {
            let start = $0.writerIndex
            places = IntentRecord.write(replacements, into: &$0)
                .map { $0.map { $0 - start + IntentRecord.headerBytes } }
            return []
        }
        change { state in
            state.apply(
                zip(replacements, places).map { replacement, places in
                    IntentRecord.Replacement(
                        original: replacement.original,
                        parts: zip(replacement.parts, places).map { ($0.batch.sealed(as: $0.id), $1) })
                }, record: position)
        }
    }
}
