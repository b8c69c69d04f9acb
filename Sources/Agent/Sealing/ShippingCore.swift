import Base
import KafkaClient
import Records

/// From inputs to sent batches: one turn at a time, on one thread, without waiting and without a clock, so that a simulation runs the same
/// code as the agent.
///
/// ```
///  Input ── LineBlock ──▶ BatchAssembler ── Seal ──▶ IntentLog ── SealedBatch ──▶ BatchSender
/// ```
///
/// Where the log is full nothing is sealed, where nothing can be sealed no block is asked for: the sources wait. Of topics that take nothing (`TopicGate`)
/// nothing is asked for either, and the others go on.
public final class ShippingCore {
    public let log: IntentLog
    public let sender: BatchSender
    public let assembler: BatchAssembler
    private let inputs: [any Input]
    private var gate: TopicGate
    private let onInputEvent: (InputEvent) -> Void
    /// A block of each input that wasn't taken to its end, and where its next line begins.
    private var current: [(block: LineBlock, byte: Int)?]
    private var turnOf = 0
    private var unsent: [SealedBatch] = []
    /// Positions of seals that aren't synced yet.
    private var unsyncedPositions: [StreamCheckpoint] = []
    /// Positions were sealed without a batch since the last sync.
    private var hasUnsyncedPositions = false
    private var isStalled = false
    private var isFinishing = false

    /// Bytes taken from inputs before the turn ends, so that answers are heard in between.
    private static let bytesPerTurn = 1 << 20
    /// While so much waits to be acknowledged, and is being acknowledged, the sources wait: what is sealed now would only be written and lie
    /// in memory. Where nothing is heard for `patience` the log takes what comes.
    private static let waitingBytesMax = 2 << 20
    private static let patience = Duration.milliseconds(250)
    /// How soon positions are tried again that found no room in the log.
    private static let looseRetry = Duration.milliseconds(500)

    public init(
        inputs: [any Input], assembler: BatchAssembler, log: IntentLog, sender: BatchSender, topics: any TopicDirectory,
        onInputEvent: @escaping (InputEvent) -> Void
    ) {
        precondition(
            assembler.settings.openBytesMax.bytes + assembler.settings.batchBytes.bytes <= log.capacity.bytes / 8,
            "the ring must be eight times as large as what may be sealed at once")
        self.inputs = inputs
        self.assembler = assembler
        self.log = log
        self.sender = sender
        gate = TopicGate(topics: topics, ringBytes: log.capacity, spread: log.spread)
        self.onInputEvent = onInputEvent
        current = Array(repeating: nil, count: inputs.count)
    }

    /// When to come back, unless an answer or a descriptor is there earlier.
    public struct Rest: Sendable {
        public var until: Instant
        public var wakes: [CInt]
        /// The log is full or the cluster unknown: sources wait.
        public var isStalled: Bool
    }

    public func start(now: Instant) throws { try sender.start(now: now) }

    public func answered(_ answer: ProducerAnswer, now: Instant) throws {
        try sender.answered(answer, now: now)
    }

    /// Reads, seals, sends.
    ///
    /// - Throws: an error of the disk. The process has to stop and start again from what the disk holds.
    public func turn(now: Instant, wallTime: Timestamp) throws -> Rest {
        try sender.tick(now: now)
        gate.update(sender.machine, openTopics: assembler.openTopics)
        var rest = Rest(until: .distantFuture, wakes: [], isStalled: false)
        var isHungry = false
        let crowdedUntil =
            isFinishing ? nil : sender.crowdedUntil(bytes: Self.waitingBytesMax, patience: Self.patience, now: now)
        if let crowdedUntil {
            rest.until = crowdedUntil
        } else if !isFinishing {
            isHungry = try fill(now, wallTime, &rest)
        }
        try seal(now, all: isFinishing)
        let batches = unsent
        unsent = []
        if !batches.isEmpty || hasUnsyncedPositions {
            // One sync for all seals of the turn; nothing is sent before.
            try log.sync()
            hasUnsyncedPositions = false
            let positions = unsyncedPositions
            unsyncedPositions = []
            for input in inputs { input.sealed(positions) }
        } else if !sender.isWaiting {
            // Otherwise what was acknowledged is written down with the next seal.
            try log.flush()
        }
        if let freed = log.takeFreed() { sender.freed(through: freed) }
        if !batches.isEmpty { try sender.send(batches, now: now) }
        rest.isStalled = isStalled
        if isHungry && !isStalled { rest.until = now }
        // Inputs that can't be asked for more take care that nothing gets away meanwhile.
        for index in inputs.indices
        where !isFinishing && (isStalled || crowdedUntil != nil || current[index] != nil || gate.hasShut) {
            rest.until = min(rest.until, inputs[index].attend(now: now))
        }
        // Where no batch can be sealed, only an answer helps.
        let sealing = isStalled ? max(assembler.looseDeadline, now + Self.looseRetry) : assembler.deadline
        rest.until = min(rest.until, sealing)
        rest.until = min(rest.until, sender.nextDeadline)
        return rest
    }

    /// From here on nothing is read any more, and everything that was is sealed.
    public func finish() { isFinishing = true }

    /// Every input has come to its end, and what it brought stands in a batch.
    public var hasReadAll: Bool { inputs.allSatisfy(\.isFinished) && current.allSatisfy { $0 == nil } }

    /// Everything that was read is sealed and acknowledged.
    public var isDrained: Bool {
        assembler.isEmpty && unsent.isEmpty && log.pendingCount == 0
    }

    /// How far what was read has come.
    var progress: Watermark.Progress {
        Watermark.Progress(
            holdsBlock: current.contains { $0 != nil }, oldestOpen: assembler.oldestOpen,
            oldestPending: log.oldestPending, nextBatch: log.nextBatch)
    }

    // MARK: -

    /// Takes lines until the inputs have none, the turn is long enough, or nothing can be sealed. True where there is more.
    private func fill(_ now: Instant, _ wallTime: Timestamp, _ rest: inout Rest) throws -> Bool {
        var taken = 0
        var idle = Array(repeating: false, count: inputs.count)
        isStalled = false
        while idle.contains(false) {
            if taken >= Self.bytesPerTurn { return true }
            if assembler.deadline <= now || assembler.openBytes >= assembler.settings.openBytesMax.bytes {
                try seal(now, all: false)
                if isStalled { return true }
            }
            turnOf = (turnOf + 1) % inputs.count
            let index = turnOf
            guard !idle[index] else { continue }
            if current[index] == nil {
                switch inputs[index].poll(now: now, isOpen: { gate.isOpen($0) }) {
                case .block(let block):
                    guard let relieved = relieve(block, now) else { continue }
                    current[index] = (relieved, 0)
                case .event(let event):
                    handle(event, now)
                    continue
                case .idle(let until, let wake):
                    idle[index] = true
                    rest.until = min(rest.until, until)
                    if let wake { rest.wakes.append(wake) }
                    continue
                }
            }
            taken += try append(from: index, now, wallTime)
            if isStalled { return true }
        }
        return false
    }

    /// Puts lines of an input's block into batches.
    private func append(from index: Int, _ now: Instant, _ wallTime: Timestamp) throws -> Int {
        guard let (block, start) = current[index] else { return 0 }
        for spread in gate.takeUnwritten() { try log.record(spread: spread) }
        let partition = gate.partition(of: block)
        var byte = start
        while byte < block.byteCount {
            let next = assembler.append(block, from: byte, to: partition, now: now, wallTime: wallTime)
            byte = next
            current[index] = (block, byte)
            if byte < block.byteCount {
                try seal(now, all: false)
                if isStalled { return byte - start }
            }
        }
        current[index] = nil
        return byte - start
    }

    /// What is left of a block; nil where nothing is, and only its position counts.
    private func relieve(_ block: LineBlock, _ now: Instant) -> LineBlock? {
        guard let relief = block.origin.relief else { return block }
        let (outcome, counts) = relief.apply(to: block, now: now)
        if !counts.isZero { onInputEvent(.relieved(block.source, counts)) }
        switch outcome {
        case .unchanged: return block
        case .changed(let block): return block
        case .nothing:
            assembler.positioned(
                StreamCheckpoint(stream: block.stream, source: block.source, position: block.end), now: now)
            return nil
        }
    }

    private func handle(_ event: InputEvent, _ now: Instant) {
        switch event {
        case .retired(let stream): assembler.retired(stream, now: now)
        case .positioned(let checkpoint): assembler.positioned(checkpoint, now: now)
        case .lineCut, .lineSkipped, .nulBytesSkipped, .lineUnterminated, .truncated, .gap, .trouble, .recovered,
            .relieved:
            break
        }
        onInputEvent(event)
    }

    /// Seals what is due, as far as the log has room.
    private func seal(_ now: Instant, all: Bool) throws {
        isStalled = false
        while let group = assembler.nextGroup(now: now, all: all) {
            guard sender.canReserve || group.partitions.isEmpty, try hasRoom(for: group) else {
                isStalled = true
                // What was found is noted all the same: a source that waits for its turn may be rotated meanwhile, and a restart has to
                // know that it was there.
                if let loose = assembler.looseGroup(now: now), try hasRoom(for: loose) { try seal(loose) }
                return
            }
            try seal(group)
        }
    }

    private func hasRoom(for group: BatchAssembler.Group) throws -> Bool {
        try log.makeRoom(bytes: group.byteCountMax, batches: group.partitions.count)
    }

    private func seal(_ group: BatchAssembler.Group) throws {
        let sealed = try assembler.seal(group) { partition, count in
            sender.reserve(partition, recordCount: count)!
        }
        unsent += try log.append(sealed)
        unsyncedPositions += sealed.streams
        if group.partitions.isEmpty { hasUnsyncedPositions = true }
    }
}
