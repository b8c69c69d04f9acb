import Base
import Synchronization
import SystemPackage

/// `durable-point` in a partition's folder: below which offset all was on the disk when it was last written. It tells rot from what a power cut tore.
///
/// ```
/// two slots, at 0 and at 512, written in turn; the sound one with the larger generation counts
/// | "MRDP" | version u16 = 1 | zero u16 | generation u64 | topicID 16 | offset i64 | zeros 20 | crc u32 |   64 bytes, big-endian
/// ```
///
/// It is written after each flush and not synced: a killed process leaves it exact, a power cut may leave an older one, which is true as well.
/// Only lowering it, before a log is cut, is made durable at once.
final class DurablePoint: Sendable {
    static let fileName = "durable-point"
    static let fileBytes = 1024
    static let slotBytes = 64
    private static let slotPlaces: [Int] = [0, 512]
    private static let mark: UInt32 = 0x4d52_4450

    private struct State: Sendable {
        var file: (any File)?
        var generation: UInt64 = 0
        var offset: Offset = .none
    }

    private let path: FilePath
    private let fileSystem: any FileSystem
    private let topicID: TopicID
    private let state = Mutex(State())

    init(_ folder: Folder, _ fileSystem: any FileSystem, topicID: TopicID) {
        path = folder.file(Self.fileName)
        self.fileSystem = fileSystem
        self.topicID = topicID
    }

    /// What the file says, or nil where there is none, or none of this topic, or no slot of it is sound.
    func load() throws(FileError) -> Offset? {
        guard let bytes = try fileSystem.contents(of: path, bytesMax: .kib(64)) else { return nil }
        let newest = Self.slots(in: bytes).filter { $0.topicID == topicID }.max { $0.generation < $1.generation }
        guard let newest else { return nil }
        state.withLock { state in
            state.generation = newest.generation
            state.offset = newest.offset
        }
        return newest.offset
    }

    /// All below `offset` is on the disk. Where it can't be noted the older point stands, which is true as well.
    func raise(to offset: Offset) {
        state.withLock { state in
            guard offset > state.offset else { return }
            try? write(&state, offset)
        }
    }

    /// What lies at or beyond `offset` is about to be cut off; durable when it returns.
    func lower(to offset: Offset) throws(FileError) {
        try state.withLock { state throws(FileError) in
            guard offset < state.offset else { return }
            try write(&state, offset)
            try state.file?.sync()
        }
    }

    private func write(_ state: inout State, _ offset: Offset) throws(FileError) {
        let file: any File
        if let open = state.file {
            file = open
        } else {
            file = try fileSystem.open(path, .create)
            state.file = file
        }
        let generation = state.generation + 1
        let slot = Self.slot(generation, topicID, offset)
        let size = try file.status().size
        if generation == 1 || size != Int64(Self.fileBytes) {
            // Whole from the beginning: a full disk must not keep it from being written later.
            var bytes = [UInt8](repeating: 0, count: Self.fileBytes)
            bytes.replaceSubrange(0..<Self.slotBytes, with: slot)
            bytes.replaceSubrange(Self.slotPlaces[1]..<Self.slotPlaces[1] + Self.slotBytes, with: slot)
            try file.write(bytes, at: 0)
        } else {
            try file.write(slot, at: Int64(Self.slotPlaces[Int(generation % 2)]))
        }
        state.generation = generation
        state.offset = offset
    }

    // MARK: - Bytes

    struct Slot: Equatable, Sendable {
        var generation: UInt64
        var topicID: TopicID
        var offset: Offset
    }

    static func slot(_ generation: UInt64, _ topicID: TopicID, _ offset: Offset) -> [UInt8] {
        var writer = BigEndianWriter()
        writer.write(mark)
        writer.write(UInt16(1))
        writer.write(UInt16(0))
        writer.write(generation)
        writer.write(topicID.high)
        writer.write(topicID.low)
        writer.write(offset.rawValue)
        writer.bytes.append(contentsOf: repeatElement(0, count: 20))
        let sum = CRC32C.checksum(writer.bytes)
        writer.write(sum)
        return writer.bytes
    }

    /// Nothing stands beside the slots.
    static func gapIsEmpty(in bytes: [UInt8]) -> Bool {
        bytes.indices.allSatisfy { place in
            slotPlaces.contains { ($0..<$0 + slotBytes).contains(place) } || bytes[place] == 0
        }
    }

    /// The sound slots in the file's bytes.
    static func slots(in bytes: [UInt8]) -> [Slot] {
        slotPlaces.compactMap { place in
            guard bytes.count >= place + slotBytes else { return nil }
            let slot = Array(bytes[place..<place + slotBytes])
            var reader = BigEndianReader(slot)
            guard reader.read() == mark, reader.read() == UInt16(1), reader.read(UInt16.self) != nil,
                let generation: UInt64 = reader.read(), let high: UInt64 = reader.read(),
                let low: UInt64 = reader.read(), let offset: Int64 = reader.read(), offset >= 0
            else { return nil }
            reader.position = slotBytes - 4
            guard reader.read() == CRC32C.checksum(slot.dropLast(4)) else { return nil }
            return Slot(generation: generation, topicID: TopicID(high: high, low: low), offset: Offset(offset))
        }
    }
}
