import Base

/// What a power cut leaves of the work that was not synced.
public enum Survival: Sendable, CaseIterable {
    /// Nothing that was not synced: the disk wrote nothing by itself.
    case dropUnsynced
    /// Everything: the disk had written it all a moment before.
    case keepAll
    /// Every unsynced write and every unsynced folder entry on its own is kept, dropped or (a write) torn, in any combination.
    case torn
}

/// A file or a folder of the simulation. Guarded by the lock of its file system.
final class SimulatedNode: @unchecked Sendable {
    /// One change of a file's bytes since its last sync.
    enum DataChange {
        case write(at: Int, [UInt8])
        case resize(Int)
    }

    /// One change of a folder's entries since its last sync. The halves of a rename between two folders share an id.
    struct EntryChange {
        var id: UInt64
        var removes: String?
        var sets: (name: String, node: SimulatedNode)?
    }

    let number: UInt64
    let isDirectory: Bool
    var modified: Timestamp

    /// What the running process sees: the page cache.
    var bytes: [UInt8] = []
    /// What the disk is known to hold.
    var syncedBytes: [UInt8] = []
    var dataChanges: [DataChange] = []

    var entries: [String: SimulatedNode] = [:]
    var syncedEntries: [String: SimulatedNode] = [:]
    var entryChanges: [EntryChange] = []

    init(number: UInt64, isDirectory: Bool, modified: Timestamp) {
        self.number = number
        self.isDirectory = isDirectory
        self.modified = modified
    }

    func change(_ change: DataChange) {
        Self.apply(change, to: &bytes)
        dataChanges.append(change)
    }

    func sync() {
        for change in dataChanges { Self.apply(change, to: &syncedBytes) }
        dataChanges = []
    }

    /// What Linux does where writing back fails: the cache keeps the bytes, marks them clean, and no later sync writes them.
    func syncFailed() { dataChanges = [] }

    func change(_ change: EntryChange) {
        Self.apply(change, to: &entries)
        entryChanges.append(change)
    }

    func syncEntries() {
        for change in entryChanges { Self.apply(change, to: &syncedEntries) }
        entryChanges = []
    }

    /// Turns this node, and everything below it, into what a power cut leaves.
    func crash(_ survival: Survival, salt: UInt64) {
        switch survival {
        case .dropUnsynced: break
        case .keepAll:
            for change in dataChanges { Self.apply(change, to: &syncedBytes) }
            for change in entryChanges { Self.apply(change, to: &syncedEntries) }
        case .torn: tear(salt: salt)
        }
        dataChanges = []
        entryChanges = []
        bytes = syncedBytes
        entries = syncedEntries
        for node in entries.values { node.crash(survival, salt: salt) }
    }

    private func tear(salt: UInt64) {
        // Drawn from the node's number, not from a shared generator: the order of a dictionary must not matter.
        var random = SeededRandom(seed: salt ^ (number &* 0x2545_f491_4f6c_dd1d))
        for change in dataChanges {
            switch (change, Int.random(in: 0..<3, using: &random)) {
            case (_, 0): Self.apply(change, to: &syncedBytes)
            case (.write(let position, let written), 1):
                for piece in Self.torn(written, at: position, using: &random) { Self.apply(piece, to: &syncedBytes) }
            case (_, _): break
            }
        }
        for change in entryChanges {
            var coin = SeededRandom(seed: salt ^ change.id)
            if Bool.random(using: &coin) { Self.apply(change, to: &syncedEntries) }
        }
    }

    /// A prefix of the write, or some of its 512-byte sectors with the file grown as if all had come.
    private static func torn(_ written: [UInt8], at position: Int, using random: inout SeededRandom) -> [DataChange] {
        if Bool.random(using: &random) {
            return [.write(at: position, Array(written.prefix(Int.random(in: 0...written.count, using: &random))))]
        }
        var pieces: [DataChange] = [.write(at: position + written.count, [])]
        var start = 0
        while start < written.count {
            let end = min(written.count, (position + start) / 512 * 512 + 512 - position)
            if Bool.random(using: &random) { pieces.append(.write(at: position + start, Array(written[start..<end]))) }
            start = end
        }
        return pieces
    }

    private static func apply(_ change: DataChange, to bytes: inout [UInt8]) {
        switch change {
        case .write(let position, let written):
            if position == bytes.count {
                bytes.append(contentsOf: written)
                return
            }
            let end = position + written.count
            if bytes.count < end { bytes.append(contentsOf: repeatElement(0, count: end - bytes.count)) }
            bytes.replaceSubrange(position..<end, with: written)
        case .resize(let size):
            if size < bytes.count {
                bytes.removeLast(bytes.count - size)
            } else {
                bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
            }
        }
    }

    private static func apply(_ change: EntryChange, to entries: inout [String: SimulatedNode]) {
        if let name = change.removes { entries[name] = nil }
        if let (name, node) = change.sets { entries[name] = node }
    }
}
