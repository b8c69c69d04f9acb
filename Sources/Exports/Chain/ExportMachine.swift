public import Base

/// Every decision of an export of one partition, without any I/O: events in, actions out (the commit protocol, step 8 of the design).
///
///     started → readChain → findLog → append(takeover) → publish(last commit) → removeStaging(older attempts) → seek
///     staged… → closeStage → append(commit k) → publish(k) → storeGroupOffset → staged…
///
/// - A record is created only if absent. Where one stands already, it is read back: ours is a lost answer, another's is a fence.
/// - A new owner touches nothing of older attempts before its takeover stands; then it finishes the publication of the last commit
///   and deletes the staging folders that were there *before* its takeover, so that a slow owner can't delete a newer one's.
/// - k + 1 is written only once k is published; so only the chain's last commit is ever published again, and files that somebody
///   removed from the table later are never brought back.
/// - The chain is the truth; the group's offset only follows.
public struct ExportMachine: Sendable {
    public struct Settings: Sendable {
        /// A commit is made once the staged files hold this much.
        public var bytesMax: ByteCount
        /// A commit is made this long after the first record was staged, with or without traffic.
        public var ageMax: Duration
        /// A commit is made before it would name more files than this.
        public var filesMax: Int
        public var start: ExportStart

        public init(
            bytesMax: ByteCount = .mib(128), ageMax: Duration = .seconds(60), filesMax: Int = 1000,
            start: ExportStart = .earliest
        ) {
            self.bytesMax = bytesMax
            self.ageMax = ageMax
            self.filesMax = filesMax
            self.start = start
        }
    }

    public enum Action: Sendable, Equatable {
        /// List the chain and the staging folders; answer `chainRead`.
        case readChain
        /// Ask the log for its first and next offset, and where `leaderEpoch` ends; answer `logFound`.
        case findLog
        /// Create the record if absent; answer `recordAppended`, `recordStands` or `appendUnanswered`.
        case append(CommitRecord)
        /// Answer `recordRead`.
        case readRecord(index: Int64)
        /// Bring the record's files into the table, those that still stand staged; answer `published`.
        case publish(CommitRecord, isFresh: Bool)
        /// Delete the staging folders of these attempts; answer `stagingRemoved`.
        case removeStaging([AttemptID])
        /// Read from this offset on.
        case seek(Offset)
        /// Close and sync the staged files; answer `stageClosed`.
        case closeStage(from: Offset, to: Offset)
        /// Delete what this attempt staged: no record names it.
        case discardStage
        /// Commit the group's offset. No answer is waited for: the chain is the truth.
        case storeGroupOffset(Offset, LeaderEpoch)
        /// It is over; `nil` is a stop that was asked for.
        case stop(Stop?)
    }

    /// Why the machine stopped by itself.
    public struct Stop: Error, Sendable, Equatable {
        public var code: ExportError.Code
        public var message: String
    }

    /// Offsets that were staged since the last commit.
    struct Stage: Sendable, Equatable {
        var from: Offset
        var to: Offset
        var leaderEpoch: LeaderEpoch
        var recordCount: Int64 = 0
        var sources = SourceTally()
        var openedAt: Instant?

        var isEmpty: Bool { from == to }
    }

    enum State: Sendable {
        case idle
        case readingChain
        case findingLog(ChainTail?, staged: [AttemptID])
        case takingOver(CommitRecord, ChainTail?, staged: [AttemptID], Stop?)
        case finishing(Progress, staged: [AttemptID], Stop?)
        case cleaning(Progress, Stop?)
        case consuming(Progress, Stage)
        case closing(Progress, Stage, then: Afterwards)
        case committing(Progress, CommitRecord, then: Afterwards)
        case publishing(CommitRecord, then: Afterwards)
        case stopped
    }

    /// Where the chain ends.
    struct Progress: Sendable, Equatable {
        var last: CommitRecord

        var lastCommitIndex: Int64 { last.kind == .commit ? last.index : last.lastCommitIndex }
    }

    enum Afterwards: Sendable, Equatable {
        case goOn
        case stop(Stop?)
    }

    /// How often a takeover may lose its index to another owner, or an append go unanswered, before the machine gives up.
    static let triesMax = 100

    public let chain: ChainID
    public let attempt: AttemptID
    public let settings: Settings
    var state = State.idle
    var tries = 0

    public init(chain: ChainID, attempt: AttemptID, settings: Settings) {
        self.chain = chain
        self.attempt = attempt
        self.settings = settings
    }

    /// The offset that the next staged record has to have at least; nil while the machine doesn't consume.
    public var position: Offset? {
        if case .consuming(_, let stage) = state { return stage.to }
        return nil
    }

    /// The leader epoch of the last record below where the export goes on: the log must still hold it there.
    public var leaderEpoch: LeaderEpoch {
        switch state {
        case .findingLog(let tail, _): tail?.last.leaderEpoch ?? .none
        case .consuming(_, let stage): stage.leaderEpoch
        default: .none
        }
    }

    public var isStopped: Bool {
        if case .stopped = state { return true }
        return false
    }

    // MARK: - Taking over

    public mutating func started() -> [Action] {
        guard case .idle = state else { return unexpected("started") }
        state = .readingChain
        return [.readChain]
    }

    /// - Parameter staged: the attempts that have a staging folder, listed before anything is appended.
    public mutating func chainRead(_ tail: ChainTail?, staged: [AttemptID]) -> [Action] {
        guard case .readingChain = state else { return unexpected("chainRead") }
        if let other = tail?.last.chain, other != chain {
            return stop(.damaged, "the chain of \(chain) holds a record of \(other); its folder was moved or copied")
        }
        state = .findingLog(tail, staged: staged)
        return [.findLog]
    }

    public mutating func logFound(_ log: LogRange, wallTime: Timestamp) -> [Action] {
        guard case .findingLog(let tail, let staged) = state else { return unexpected("logFound") }
        let end = tail?.last.to ?? (settings.start == .earliest ? log.start : log.end)
        let record = CommitRecord(
            chain: chain, index: (tail?.last.index ?? -1) + 1, attempt: attempt, kind: .takeover, from: end, to: end,
            leaderEpoch: tail?.last.leaderEpoch ?? .none, lastCommitIndex: tail?.lastCommit?.index ?? -1,
            madeAt: wallTime)
        state = .takingOver(record, tail, staged: staged.filter { $0 != attempt }, Self.verdict(end, log, chain))
        return [.append(record)]
    }

    private static func verdict(_ end: Offset, _ log: LogRange, _ chain: ChainID) -> Stop? {
        if end > log.end {
            return Stop(
                code: .aheadOfLog,
                message:
                    "\(chain): \(end) is the next offset to export, but the log ends at \(log.end). The topic lost "
                    + "records that were exported. Find out why; to export the topic anew, use another table")
        }
        if end < log.start { return outOfRange(chain, end, log) }
        if let epochEnd = log.epochEnd, epochEnd < end {
            return Stop(
                code: .aheadOfLog,
                message:
                    "\(chain): offsets \(epochEnd)..<\(end) were exported, but the topic lost those records and holds others "
                    + "there since (KIP-320). Find out why; to export the topic anew, use another table")
        }
        return nil
    }

    private static func outOfRange(_ chain: ChainID, _ position: Offset, _ log: LogRange) -> Stop {
        Stop(
            code: .offsetOutOfRange,
            message:
                "\(chain): offset \(position) can't be read any more, the log holds \(log.start)..<\(log.end). Records were "
                + "deleted before they were exported. Nothing is skipped silently: accept the loss with "
                + "'millrace export gap -c FILE --accept', then start again")
    }

    public mutating func stagingRemoved() -> [Action] {
        guard case .cleaning(let progress, let verdict) = state else { return unexpected("stagingRemoved") }
        if let verdict { return stop(verdict) }
        return consume(progress) + [.seek(progress.last.to)]
    }

    private mutating func consume(_ progress: Progress) -> [Action] {
        let end = progress.last.to
        state = .consuming(progress, Stage(from: end, to: end, leaderEpoch: progress.last.leaderEpoch))
        return []
    }

    // MARK: - Consuming

    /// Records were handed to the staged files, up to but without `to`. `bytes` and `files` are what is staged in all.
    public mutating func staged(
        to: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally = SourceTally(), bytes: ByteCount,
        files: Int, now: Instant
    ) -> [Action] {
        guard case .consuming(let progress, var stage) = state else { return unexpected("staged") }
        precondition(to >= stage.to, "staged up to \(to) after \(stage.to)")
        stage.to = to
        stage.leaderEpoch = leaderEpoch
        stage.recordCount += records
        stage.sources.add(sources)
        if stage.openedAt == nil, !stage.isEmpty { stage.openedAt = now }
        state = .consuming(progress, stage)
        if bytes >= settings.bytesMax || files >= settings.filesMax { return close(progress, stage, then: .goOn) }
        return tick(now: now)
    }

    /// Time passed. Between commits nothing else makes one due.
    public mutating func tick(now: Instant) -> [Action] {
        guard case .consuming(let progress, let stage) = state, let openedAt = stage.openedAt,
            now - openedAt >= settings.ageMax
        else { return [] }
        return close(progress, stage, then: .goOn)
    }

    /// The partition goes away while it is still ours (shutdown, revocation): commit what is staged, then stop.
    public mutating func stopAsked() -> [Action] {
        guard case .consuming(let progress, let stage) = state else { return stop(nil) }
        return close(progress, stage, then: .stop(nil))
    }

    /// The broker refused the next offset. Where the log holds it after all (a new leader that was still catching up), it is asked for again;
    /// else what is staged is committed, then the export stops with the reason.
    public mutating func offsetOutOfRange(log: LogRange) -> [Action] {
        guard case .consuming(let progress, let stage) = state else { return unexpected("offsetOutOfRange") }
        guard let verdict = Self.verdict(stage.to, log, chain) else { return [.seek(stage.to)] }
        return close(progress, stage, then: .stop(verdict))
    }

    private mutating func close(_ progress: Progress, _ stage: Stage, then: Afterwards) -> [Action] {
        if stage.isEmpty {
            switch then {
            case .goOn: return []
            case .stop(let reason): return stop(reason)
            }
        }
        state = .closing(progress, stage, then: then)
        return [.closeStage(from: stage.from, to: stage.to)]
    }

    // MARK: - Committing

    public mutating func stageClosed(_ files: [CommitRecord.File], wallTime: Timestamp) -> [Action] {
        guard case .closing(let progress, let stage, let then) = state else { return unexpected("stageClosed") }
        let record = CommitRecord(
            chain: chain, index: progress.last.index + 1, attempt: attempt, kind: .commit, from: stage.from,
            to: stage.to,
            leaderEpoch: stage.leaderEpoch, lastCommitIndex: progress.lastCommitIndex, recordCount: stage.recordCount,
            sources: stage.sources, files: files, madeAt: wallTime)
        state = .committing(progress, record, then: then)
        return [.append(record)]
    }

    public mutating func recordAppended() -> [Action] {
        tries = 0
        switch state {
        case .takingOver(let record, let tail, let staged, let verdict):
            state = .finishing(Progress(last: record), staged: staged, verdict)
            // Whether an older owner came to publish its last commit, nobody knows.
            return tail?.lastCommit.map { [.publish($0, isFresh: false)] } ?? published()
        case .committing(_, let record, let then):
            state = .publishing(record, then: then)
            return [.publish(record, isFresh: true)]
        case .idle, .readingChain, .findingLog, .finishing, .cleaning, .consuming, .closing, .publishing, .stopped:
            return unexpected("recordAppended")
        }
    }

    /// A record stands at the index already; whose, is read back.
    public mutating func recordStands() -> [Action] { readBack() }

    /// The answer was lost; what stands now is read back.
    public mutating func appendUnanswered() -> [Action] { readBack() }

    private mutating func readBack() -> [Action] {
        tries += 1
        switch state {
        case .takingOver(let record, _, _, _), .committing(_, let record, _):
            guard tries <= Self.triesMax else {
                return stop(.store, "\(chain): record \(record.index) could not be written in \(tries) tries")
            }
            return [.readRecord(index: record.index)]
        case .idle, .readingChain, .findingLog, .finishing, .cleaning, .consuming, .closing, .publishing, .stopped:
            return unexpected("an append's answer")
        }
    }

    public mutating func recordRead(_ found: CommitRecord?) -> [Action] {
        switch state {
        case .takingOver(let record, _, _, _):
            guard let found else { return [.append(record)] }
            if found.isSame(as: record) { return recordAppended() }
            // Somebody was faster: begin anew behind it.
            state = .readingChain
            return [.readChain]
        case .committing(_, let record, _):
            guard let found else { return [.append(record)] }
            if found.isSame(as: record) { return recordAppended() }
            let who = found.kind == .gap ? "an operator recorded a gap" : "another owner took the partition over"
            let reason = Stop(
                code: .fenced,
                message: "\(chain): \(who) (record \(found.index), attempt \(found.attempt)); it goes on there")
            return [.discardStage] + stop(reason)
        case .idle, .readingChain, .findingLog, .finishing, .cleaning, .consuming, .closing, .publishing, .stopped:
            return unexpected("recordRead")
        }
    }

    public mutating func published() -> [Action] {
        switch state {
        case .finishing(let progress, let staged, let verdict):
            state = .cleaning(progress, verdict)
            return staged.isEmpty ? stagingRemoved() : [.removeStaging(staged)]
        case .publishing(let record, let then):
            let store = Action.storeGroupOffset(record.to, record.leaderEpoch)
            switch then {
            case .goOn: return [store] + consume(Progress(last: record))
            case .stop(let reason): return [store] + stop(reason)
            }
        case .idle, .readingChain, .findingLog, .takingOver, .cleaning, .consuming, .closing, .committing, .stopped:
            return unexpected("published")
        }
    }

    // MARK: - Stopping

    /// The partition is no longer ours (lost), or an action failed: nothing more is committed. What no record names is deleted.
    public mutating func abandoned() -> [Action] {
        switch state {
        case .consuming, .closing: return [.discardStage] + stop(nil)
        case .committing, .publishing:
            // The record may stand; then the staged files are its own.
            return stop(nil)
        case .idle, .readingChain, .findingLog, .takingOver, .finishing, .cleaning: return stop(nil)
        case .stopped: return []
        }
    }

    private mutating func stop(_ code: ExportError.Code, _ message: String) -> [Action] {
        stop(Stop(code: code, message: message))
    }

    private mutating func stop(_ reason: Stop?) -> [Action] {
        if isStopped { return [] }
        state = .stopped
        return [.stop(reason)]
    }

    private func unexpected(_ event: String) -> [Action] {
        if isStopped { return [] }
        preconditionFailure("\(event) while \(state)")
    }
}
