import Base
import DequeModule
import KafkaClient
import NIOCore
import Records
import SystemPackage

/// How the intent log uses the disk.
public struct IntentSettings: Sendable, Equatable {
    public enum Durability: String, Sendable, CaseIterable {
        /// What is sent has been synced before: exactly once through a power cut.
        case fsync
        /// Left to the operating system: exactly once through `kill -9`; after a power cut lines may come twice, counted.
        case none
    }

    /// Bytes of the ring: at least 1 MiB. A change takes effect at a start that finds nothing pending.
    public var capacity = ByteCount.mib(64)
    public var durability = Durability.fsync
    /// How large the file of records that the broker will never take may get; beyond it they wait.
    public var deadLettersMax = ByteCount.mib(64)
    /// Seals that are remembered, acknowledged ones included; bounds memory.
    public var intentsMax = 16_384

    public init() {}
}

/// The agent's memory: a ring of atomic, checksummed records on disk, and a checkpoint beside it.
///
/// A *seal* puts batches and the stream positions after them into one record. Only what stands in the log is ever sent; what was
/// acknowledged stays until its space is needed, in case the broker loses it. Stream positions, identities and counts live on in the
/// checkpoint when the ring goes round.
///
/// After a crash at any point the log holds a prefix of the seals: every line is either in a sealed batch or after its stream's position.
/// The order that makes it so:
///
/// 1. seal: record written (one write), synced, and then only sent;
/// 2. space: ring synced, checkpoint replaced (temporary file, sync, rename, sync), and then only overwritten;
/// 3. start: what is found is synced, and a checkpoint with a new run number stands before anything is written.
///
/// Synchronous, for one thread. Once a call has failed, all fail: the process has to start again from what the disk holds.
///
/// Constraints: a seal takes at most a quarter of the ring; see `SealSettings`.
public final class IntentLog {
    public let settings: IntentSettings
    let fileSystem: any FileSystem
    let folder: FilePath
    private(set) var ring: IntentRing
    private var ringNumber: UInt64
    private(set) var state: IntentState
    private let run: UInt32

    private(set) var tail: UInt64
    var head: UInt64 { ring.head }
    /// Everything below is on disk.
    private var durable: UInt64
    private var unwritten: [(batch: BatchID, offset: Offset)] = []
    /// Batches that were not sent yet, so that nobody has to read them back.
    var unsent = UnsentBatches()
    private var failure: FileError?
    /// The newest batch whose space was given up since this was last taken.
    var freedThrough: BatchID?

    init(
        recovered checkpoint: IntentCheckpoint, ring: IntentRing, folder: FilePath, fileSystem: any FileSystem,
        settings: IntentSettings
    ) {
        self.settings = settings
        self.fileSystem = fileSystem
        self.folder = folder
        self.ring = ring
        ringNumber = checkpoint.ring
        state = checkpoint.state
        run = checkpoint.run
        tail = checkpoint.tail
        durable = checkpoint.applied
    }

    // MARK: - What it knows

    public var snapshots: [PartitionSnapshot] { state.snapshots }
    /// `.none` where a new one is needed.
    public var producer: ProducerIdentity { state.producer }
    public var binding: StateBinding { state.binding }
    public var counts: SourceCounts { state.counts }
    var spread: [String: Int32] { state.spread }
    public var streams: [StreamCheckpoint] { state.streams.values.sorted { $0.stream < $1.stream } }
    /// Batches that aren't acknowledged.
    public var pendingCount: Int { state.intents.count { $0.acknowledged == nil } }
    /// The oldest batch that isn't acknowledged.
    var oldestPending: BatchID? { state.intents.first { $0.acknowledged == nil }?.batch.id }
    /// What the next sealed batch will be called.
    var nextBatch: BatchID { BatchID(state.nextBatch) }
    public var usedBytes: ByteCount { ByteCount(Int(head - tail)) }
    public var capacity: ByteCount { ByteCount(Int(ring.capacity)) }
    public var hasUnsynced: Bool { durable < head }

    /// A number that no stream of this state directory ever had. One that is never sealed may be given out again by a later run.
    public func takeStreamID() -> StreamID {
        defer { state.nextStream += 1 }
        return StreamID(state.nextStream)
    }

    /// The newest batch of those that were let go since the last call: nothing up to it can be sent again.
    public func takeFreed() -> BatchID? {
        defer { freedThrough = nil }
        return freedThrough
    }

    // MARK: - Sealing

    /// Appends a seal for which `makeRoom` said yes. It is durable after `sync`, and must not be sent before.
    public func append(_ seal: Seal) throws(FileError) -> [SealedBatch] {
        try checkHealth()
        try note()
        let bytes = seal.byteCountMax
        precondition(fits(bytes, seal.batches.count), "no room was made for the seal")
        let first = state.nextBatch
        var places: [Int] = []
        let position = try append(.seal, bytesMax: bytes) {
            let start = $0.writerIndex
            let inBuffer = IntentRecord.write(seal, firstBatch: first, into: &$0)
            places = inBuffer.map { $0 - start + IntentRecord.headerBytes }
            return IntentRecord.summed(seal, at: inBuffer)
        }
        let batches = seal.batches.enumerated().map { index, batch in
            SealedBatch(
                id: BatchID(first + UInt64(index) * BatchID.step), partition: batch.partition,
                recordCount: batch.recordCount,
                byteCount: batch.bytes.readableBytes, identity: batch.identity, baseSequence: batch.baseSequence)
        }
        state.apply(
            IntentRecord.SealRecord(
                batches: Array(zip(batches, places)).map { ($0, $1) }, streams: seal.streams, retired: seal.retired,
                counts: seal.counts), record: position)
        for (batch, sealed) in zip(batches, seal.batches) { unsent.keep(sealed.bytes, of: batch.id) }
        return batches
    }

    /// Makes everything appended so far durable; with `intents: none` only tells the operating system nothing.
    public func sync() throws(FileError) {
        if settings.durability == .fsync { try syncRing() } else { try flush() }
    }

    /// Appends the acknowledgements since the last call, before anything that may take them back.
    func note() throws(FileError) {
        try checkHealth()
        guard !unwritten.isEmpty else { return }
        let acknowledgements = unwritten
        unwritten = []
        let bytes = IntentRecord.headerBytes + 4 + acknowledgements.count * 16
        // No room: the broker will tell again, or the next checkpoint holds it.
        guard hasSpaceForNote(bytes) else { return }
        _ = try append(.acknowledgements, bytesMax: bytes) {
            IntentRecord.write(acknowledgements, into: &$0)
            return []
        }
    }

    /// Gives what was only noted to the file, without a sync: for a turn that seals nothing.
    public func flush() throws(FileError) {
        try note()
        try writingRing { (ring: inout IntentRing) throws(FileError) in try ring.writeOut() }
    }

    /// Binds the state to a machine and a cluster. Where it belonged to another one, the producer identity is given up; where it was
    /// another cluster, pending batches count as never sent. Durable on return.
    public func bind(to binding: StateBinding) throws(FileError) {
        try checkHealth()
        guard binding != state.binding else { return }
        let old = state.binding
        let isOther = { (old: String, new: String) in !old.isEmpty && old != new }
        if isOther(old.machineID, binding.machineID) { state.producer = .none }
        if isOther(old.clusterID, binding.clusterID) {
            state.producer = .none
            state.forgetCluster()
        }
        state.binding = binding
        try checkpoint()
    }

    /// A clean end: everything durable.
    public func close() throws(FileError) {
        try flush()
        try checkpoint()
        ring.file.close()
    }

    // MARK: - What became of batches

    func recordDurably(
        _ kind: IntentRecord.Kind, bytesMax: Int, payload: (inout ByteBuffer) -> Void
    ) throws(FileError) {
        try checkHealth()
        try note()
        if hasSpaceForNote(bytesMax) {
            _ = try append(kind, bytesMax: bytesMax) {
                payload(&$0)
                return []
            }
            try syncRing()
        } else {
            // The state holds it already.
            try checkpoint()
        }
    }

    func noteAcknowledgement(of id: BatchID, at offset: Offset) throws(FileError) {
        try checkHealth()
        state.acknowledge(id, at: offset)
        unwritten.append((id, offset))
        unsent.drop(id)
        if unwritten.count >= 256 { try note() }
    }

    func change(_ body: (inout IntentState) -> Void) { body(&state) }

    func storedBatch(_ intent: IntentState.Intent) throws(FileError) -> ByteBuffer {
        try checkHealth()
        if intent.record >= durable { try flush() }
        return try ring.read(intent.batch.byteCount, at: intent.place)
    }

    /// A batch's bytes from memory, which are not kept any longer; nil where they are only in the ring.
    func takeUnsent(_ id: BatchID) -> ByteBuffer? { unsent.take(id) }

    func syncRing() throws(FileError) {
        try checkHealth()
        guard durable < head else { return }
        try writingRing { (ring: inout IntentRing) throws(FileError) in
            try ring.writeOut()
            try ring.file.sync()
        }
        durable = head
    }

    /// A call that fails is the last.
    private func writingRing(_ body: (inout IntentRing) throws(FileError) -> Void) throws(FileError) {
        do { try body(&ring) } catch {
            failure = error
            throw error
        }
    }

    func checkpoint(tail newTail: UInt64? = nil) throws(FileError) {
        try syncRing()
        let bytes = IntentCheckpoint(
            ring: ringNumber, capacity: ring.capacity, run: run, tail: newTail ?? tail, applied: head, state: state
        ).encoded
        do { try fileSystem.replace(Self.checkpointPath(folder), with: bytes) } catch {
            failure = error
            throw error
        }
        tail = newTail ?? tail
        unwritten = []
    }

    /// Appends a record at the head, and a filler before it where it goes round. Returns its position.
    func append(
        _ kind: IntentRecord.Kind, bytesMax: Int, payload: (inout ByteBuffer) -> [IntentRecord.Summed]
    ) throws(FileError) -> UInt64 {
        let padded = IntentRecord.paddedBytes(bytesMax)
        let (head, run, durable) = (head, run, durable)
        let start = ring.start(after: head, bytes: padded)
        try writingRing { (ring: inout IntentRing) throws(FileError) in
            if start > head, start - head >= UInt64(IntentRecord.headerBytes) {
                try ring.append(at: head, bytesMax: IntentRecord.headerBytes) {
                    IntentRecord.write(.filler, position: head, run: run, durable: durable, into: &$0) { _ in [] }
                }
            }
            try ring.append(at: start, bytesMax: padded) {
                IntentRecord.write(kind, position: start, run: run, durable: durable, into: &$0, payload: payload)
            }
        }
        return start
    }

    func checkHealth() throws(FileError) {
        if let failure { throw failure }
    }

    static func checkpointPath(_ folder: FilePath) -> FilePath { folder.appending("intents.checkpoint") }
    static func ringPath(_ folder: FilePath, _ number: UInt64) -> FilePath {
        folder.appending("intents-\(number).ring")
    }
}
