import Base
import DequeModule
import KafkaClient
import NIOCore

/// The small file beside the ring, replaced as a whole: all state up to a position of the ring, so that what lies before can be used
/// again.
///
/// ```
///  0 | magic u32 = "MRCP"
///  4 | crc u32           CRC-32C of all that follows
///  8 | version u32 = 2; 1, without the partitions' flags and the spread, is read
/// 12 | ring u64          number in the ring file's name
/// 20 | capacity u64      bytes of the ring
/// 28 | run u32           the run whose records may follow `applied`
/// 32 | tail u64          the oldest position still needed
/// 40 | applied u64       records from here on are not in this checkpoint
/// 48 | binding           machine id text, cluster id text
///    | producer          id i64, epoch i16
///    | nextBatch u64 | nextStream u64
///    | partitions u32    × | partition | topic id | identity | next sequence i32 | floor i64 | flags u8 (1 hole) |
///    | intents u32       × | partition's index u32 | batch u64 | record u64 | place u64 | bytes u32 | records i32 | identity
///                          | base sequence i32 | flags u8 (1 rebased, 2 acknowledged, 4 given up) | offset i64 |
///    | streams u32       × | stream |
///    | counts u32        × | count |
///    | spread u32        × | topic text | partitions i32 |
/// ```
struct IntentCheckpoint {
    static let magic: UInt32 = 0x4d52_4350
    static let version: UInt32 = 2
    /// A checkpoint above this is refused as damaged.
    static let bytesMax = ByteCount.mib(256)

    var ring: UInt64
    var capacity: UInt64
    var run: UInt32
    var tail: UInt64
    var applied: UInt64
    var state: IntentState

    var encoded: [UInt8] {
        var bytes = ByteBuffer()
        bytes.writeInteger(Self.magic)
        bytes.writeInteger(UInt32(0))
        bytes.writeInteger(Self.version)
        bytes.writeInteger(ring)
        bytes.writeInteger(capacity)
        bytes.writeInteger(run)
        bytes.writeInteger(tail)
        bytes.writeInteger(applied)
        bytes.writeText(Array(state.binding.machineID.utf8))
        bytes.writeText(Array(state.binding.clusterID.utf8))
        bytes.write(state.producer)
        bytes.writeInteger(state.nextBatch)
        bytes.writeInteger(state.nextStream)
        let partitions = state.partitions.keys.sorted()
        bytes.writeInteger(UInt32(partitions.count))
        var indexes: [TopicPartition: UInt32] = [:]
        for (index, partition) in partitions.enumerated() {
            indexes[partition] = UInt32(index)
            let known = state.partitions[partition]!
            bytes.write(partition)
            bytes.write(known.topicID)
            bytes.write(known.identity)
            bytes.writeInteger(known.nextSequence)
            bytes.writeInteger(known.floor.rawValue)
            bytes.writeInteger(UInt8(known.hasHole ? 1 : 0))
        }
        bytes.writeInteger(UInt32(state.intents.count))
        for intent in state.intents {
            bytes.writeInteger(indexes[intent.batch.partition]!)
            bytes.writeInteger(intent.batch.id.rawValue)
            bytes.writeInteger(intent.record)
            bytes.writeInteger(intent.place)
            bytes.writeInteger(UInt32(intent.batch.byteCount))
            bytes.writeInteger(intent.batch.recordCount)
            bytes.write(intent.batch.identity)
            bytes.writeInteger(intent.batch.baseSequence)
            bytes.writeInteger(
                UInt8((intent.isRebased ? 1 : 0) | (intent.acknowledged != nil ? 2 : 0) | (intent.isGivenUp ? 4 : 0)))
            bytes.writeInteger((intent.acknowledged ?? .none).rawValue)
        }
        bytes.writeInteger(UInt32(state.streams.count))
        for stream in state.streams.values.sorted(by: { $0.stream < $1.stream }) { bytes.write(stream) }
        let counts = state.counts.all
        bytes.writeInteger(UInt32(counts.count))
        for count in counts { bytes.write(count) }
        bytes.writeInteger(UInt32(state.spread.count))
        for (topic, count) in state.spread.sorted(by: { $0.key < $1.key }) {
            bytes.write(TopicPartition(topic: topic, partition: count))
        }
        let sum = bytes.withUnsafeReadableBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[8...])) }
        bytes.setInteger(sum, at: 4)
        return Array(bytes.readableBytesView)
    }

    init(ring: UInt64, capacity: UInt64, run: UInt32, tail: UInt64, applied: UInt64, state: IntentState) {
        self.ring = ring
        self.capacity = capacity
        self.run = run
        self.tail = tail
        self.applied = applied
        self.state = state
    }

    /// Nil where the bytes are no whole checkpoint.
    init?(_ encoded: [UInt8]) {
        guard encoded.count > 48 else { return nil }
        let sum = encoded.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[8...])) }
        var bytes = ByteBuffer(bytes: encoded)
        guard bytes.readInteger() == Self.magic, bytes.readInteger() == sum, let version: UInt32 = bytes.readInteger(),
            (1...Self.version).contains(version),
            let ring: UInt64 = bytes.readInteger(), let capacity: UInt64 = bytes.readInteger(),
            let run: UInt32 = bytes.readInteger(), let tail: UInt64 = bytes.readInteger(),
            let applied: UInt64 = bytes.readInteger(), let state = Self.readState(&bytes, version),
            capacity > 0, tail <= applied, applied - tail <= capacity
        else { return nil }
        self.init(ring: ring, capacity: capacity, run: run, tail: tail, applied: applied, state: state)
    }

    private static func readState(_ bytes: inout ByteBuffer, _ version: UInt32) -> IntentState? {
        var state = IntentState()
        guard let machine = bytes.readText(), let cluster = bytes.readText(), let producer = bytes.readIdentity(),
            let nextBatch: UInt64 = bytes.readInteger(), let nextStream: UInt64 = bytes.readInteger(),
            let partitionCount = bytes.readCount(bytesEach: 44)
        else { return nil }
        state.binding = StateBinding(
            machineID: String(decoding: machine, as: UTF8.self), clusterID: String(decoding: cluster, as: UTF8.self))
        state.producer = producer
        state.nextBatch = nextBatch
        state.nextStream = nextStream
        var partitions: [TopicPartition] = []
        for _ in 0..<partitionCount {
            guard let partition = bytes.readPartition(), let topicID = bytes.readTopicID(),
                let identity = bytes.readIdentity(), let sequence: Int32 = bytes.readInteger(),
                let floor: Int64 = bytes.readInteger(),
                let flags: UInt8 = version > 1 ? bytes.readInteger() : 0
            else { return nil }
            partitions.append(partition)
            state.partitions[partition] = IntentState.Partition(
                topicID: topicID, identity: identity, nextSequence: sequence, floor: Offset(floor),
                hasHole: flags & 1 != 0)
        }
        guard let intentCount = bytes.readCount(bytesEach: 59) else { return nil }
        for _ in 0..<intentCount {
            guard let intent = readIntent(&bytes, partitions) else { return nil }
            state.intents.append(intent)
        }
        guard let streamCount = bytes.readCount(bytesEach: 12) else { return nil }
        for _ in 0..<streamCount {
            guard let stream = bytes.readStream() else { return nil }
            state.streams[stream.stream] = stream
        }
        guard let countCount = bytes.readCount(bytesEach: 22) else { return nil }
        for _ in 0..<countCount {
            guard let count = bytes.readSourceCount() else { return nil }
            state.counts.add(count)
        }
        guard version > 1 else { return state }
        guard let spreadCount = bytes.readCount(bytesEach: 6) else { return nil }
        for _ in 0..<spreadCount {
            guard let spread = bytes.readPartition() else { return nil }
            state.spread[spread.topic] = spread.partition
        }
        return state
    }

    private static func readIntent(_ bytes: inout ByteBuffer, _ partitions: [TopicPartition]) -> IntentState.Intent? {
        guard let index: UInt32 = bytes.readInteger(), index < partitions.count, let id: UInt64 = bytes.readInteger(),
            let record: UInt64 = bytes.readInteger(), let place: UInt64 = bytes.readInteger(),
            let byteCount: UInt32 = bytes.readInteger(), let records: Int32 = bytes.readInteger(), records > 0,
            let identity = bytes.readIdentity(), let sequence: Int32 = bytes.readInteger(),
            let flags: UInt8 = bytes.readInteger(), let offset: Int64 = bytes.readInteger()
        else { return nil }
        return IntentState.Intent(
            batch: SealedBatch(
                id: BatchID(id), partition: partitions[Int(index)], recordCount: records, byteCount: Int(byteCount),
                identity: identity, baseSequence: sequence),
            record: record, place: place, isRebased: flags & 1 != 0,
            acknowledged: flags & 2 != 0 ? Offset(offset) : nil, isGivenUp: flags & 4 != 0)
    }
}
