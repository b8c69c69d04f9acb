public import Base
public import Events
public import Telemetry

/// How a table is written.
public struct ExportSettings: Sendable {
    public var commit: ExportMachine.Settings
    public var layout: TableLayout
    public var format: TableFormat
    /// Files of one partition that are open at a time.
    public var openFilesMax: Int
    /// Rows of all open files of all partitions that may wait in memory.
    public var memoryMax: ByteCount

    public init(
        commit: ExportMachine.Settings = .init(), layout: TableLayout = .init(), format: TableFormat = .init(),
        openFilesMax: Int = 16, memoryMax: ByteCount = .mib(256)
    ) {
        self.commit = commit
        self.layout = layout
        self.format = format
        self.openFilesMax = openFilesMax
        self.memoryMax = memoryMax
    }
}

/// One attempt at exporting one partition: runs the actions of `ExportMachine` on a store and encodes rows into staged files.
///
/// Used by one task at a time. After any error it is over: what comes next is another attempt, from the chain's end.
public final class PartitionExport<Store: ExportStore> {
    /// What the export asks of the side that reads the topic.
    public struct Source: Sendable {
        /// What the log holds, and where the records of an epoch end in it (`.none` is not asked for).
        public var log: @Sendable (LeaderEpoch) async throws -> LogRange
        /// Commits the group's offset; a failure is for the caller to report, the export goes on.
        public var storeGroupOffset: @Sendable (Offset, LeaderEpoch) async -> Void

        public init(
            log: @escaping @Sendable (LeaderEpoch) async throws -> LogRange,
            storeGroupOffset: @escaping @Sendable (Offset, LeaderEpoch) async -> Void
        ) {
            self.log = log
            self.storeGroupOffset = storeGroupOffset
        }
    }

    public let chain: ChainID
    public let attempt: AttemptID
    private var machine: ExportMachine
    private let store: Store
    private let stage: Stage<Store>
    private let source: Source
    private let time: any TimeSource
    private let telemetry: Telemetry
    private var seekTarget: Offset?
    /// For events that don't come as rows.
    private var row = Row()

    /// - Parameter memory: what all partitions of the export share; nil gives this one a budget of its own.
    public init(
        chain: ChainID, attempt: AttemptID, settings: ExportSettings, store: Store, source: Source,
        time: any TimeSource, memory: ExportMemory? = nil, telemetry: Telemetry = .silent
    ) {
        self.chain = chain
        self.attempt = attempt
        machine = ExportMachine(chain: chain, attempt: attempt, settings: settings.commit)
        self.store = store
        stage = Stage(
            chain: chain, attempt: attempt, store: store, settings: settings,
            memory: memory ?? ExportMemory(bytesMax: settings.memoryMax))
        self.source = source
        self.time = time
        self.telemetry = telemetry
    }

    /// Takes the partition over: fences older attempts, finishes their last publication, cleans up.
    /// - Returns: the offset to read from.
    public func start() async throws(ExportError) -> Offset {
        try await run { $0.started() }
        guard let seekTarget else { throw ExportError(.stopped, "\(chain): stopped while it was taken over") }
        telemetry.emit(ExportTakenOver(chain: chain, attempt: attempt, position: seekTarget))
        return seekTarget
    }

    /// The offset up to which records were staged.
    public var position: Offset? { machine.position }

    /// Of the last record below `position`; `.none` where none is known.
    public var leaderEpoch: LeaderEpoch { machine.leaderEpoch }

    /// Adds a row. `time` decides its folder. Cheap, and never waits; call `flushIfNeeded` once in a while and `advance` at the end
    /// of a batch.
    public func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp) {
        stage.append(row, time: time, offset: offset, timestamp: timestamp)
    }

    /// The same for an event, which is copied.
    public func append(_ event: Event, time: Timestamp?, offset: Offset, timestamp: Timestamp) {
        row.fill(event)
        stage.append(row, time: time, offset: offset, timestamp: timestamp)
    }

    /// True where rows wait in memory that should be written before more are appended.
    public var wantsFlush: Bool { stage.wantsFlush }

    public func flush() async throws(ExportError) {
        do throws(ExportError) { try await stage.flush() } catch {
            await abandon()
            throw error
        }
    }

    /// All records below `to` were appended or filtered out. Commits where a commit is due.
    ///
    /// - Parameter sources: the records by what they came from.
    public func advance(
        to: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally = SourceTally()
    ) async throws(ExportError) {
        if stage.wantsFlush { try await flush() }
        let now = time.now
        let bytes = ByteCount(Int(stage.byteCount))
        let files = stage.fileCount
        try await run {
            $0.staged(
                to: to, leaderEpoch: leaderEpoch, records: records, sources: sources, bytes: bytes, files: files,
                now: now)
        }
    }

    /// To be called every second or so, with or without traffic.
    public func tick() async throws(ExportError) {
        stage.checkMemory()
        if stage.wantsFlush { try await flush() }
        let now = time.now
        try await run { $0.tick(now: now) }
    }

    /// Commits what is staged and stops (shutdown, revocation).
    public func stop() async throws(ExportError) { try await run { $0.stopAsked() } }

    /// The broker refused `position`. Returns where the log holds it after all: read there again. Else commits what is staged, then throws
    /// what is wrong.
    public func offsetOutOfRange() async throws(ExportError) {
        let log: LogRange
        do { log = try await source.log(machine.leaderEpoch) } catch {
            await abandon()
            throw ExportError(.store, "\(chain): the log's range can't be asked: \(error)", cause: error)
        }
        try await run { $0.offsetOutOfRange(log: log) }
    }

    /// Stops without a commit: the partition is no longer ours, or something failed.
    public func abandon() async {
        for action in machine.abandoned() where action == .discardStage { await discardStage() }
        stage.discard()
    }

    // MARK: - Running actions

    private func run(_ event: (inout ExportMachine) -> [ExportMachine.Action]) async throws(ExportError) {
        if machine.isStopped { throw ExportError(.stopped, "\(chain): this attempt is over") }
        var actions = event(&machine)
        var reason: ExportMachine.Stop?
        while !actions.isEmpty {
            var next: [ExportMachine.Action] = []
            for action in actions {
                if case .stop(let why) = action {
                    reason = why
                    continue
                }
                do throws(ExportError) { next += try await perform(action) } catch {
                    await abandon()
                    throw error
                }
            }
            actions = next
        }
        if let reason { throw ExportError(reason.code, reason.message) }
    }

    private func perform(_ action: ExportMachine.Action) async throws(ExportError) -> [ExportMachine.Action] {
        switch action {
        case .readChain:
            // In this order: what is listed was there before our takeover.
            let staged = try await store.stagedAttempts(of: chain)
            return machine.chainRead(try await store.tail(of: chain), staged: staged)
        case .findLog:
            let log: LogRange
            do { log = try await source.log(machine.leaderEpoch) } catch {
                throw ExportError(.store, "\(chain): the log's range can't be asked: \(error)", cause: error)
            }
            return machine.logFound(log, wallTime: time.wallTime)
        case .append(let record): return try await append(record)
        case .readRecord(let index): return machine.recordRead(try await store.record(index, of: chain))
        case .publish(let record, let isFresh):
            try await store.publish(record, isFresh: isFresh)
            if isFresh { telemetry.emit(ExportCommitted(record: record)) }
            return machine.published()
        case .removeStaging(let attempts):
            for attempt in attempts { try await store.removeStaging(of: attempt, of: chain) }
            return machine.stagingRemoved()
        case .seek(let offset):
            seekTarget = offset
            return []
        case .closeStage(let from, let to):
            let files = try await stage.close(from: from, to: to)
            return machine.stageClosed(files, wallTime: time.wallTime)
        case .discardStage:
            await discardStage()
            return []
        case .storeGroupOffset(let offset, let epoch):
            await source.storeGroupOffset(offset, epoch)
            return []
        case .stop: return []
        }
    }

    private func append(_ record: CommitRecord) async throws(ExportError) -> [ExportMachine.Action] {
        do throws(ExportError) {
            return try await store.append(record) ? machine.recordAppended() : machine.recordStands()
        } catch {
            guard error.code == .unanswered else { throw error }
            return machine.appendUnanswered()
        }
    }

    private func discardStage() async {
        stage.discard()
        do throws(ExportError) { try await store.removeStaging(of: attempt, of: chain) } catch {
            // The next owner deletes it.
            telemetry.emit(Note("\(chain): staged files were left behind: \(error)", level: .debug))
        }
    }
}
