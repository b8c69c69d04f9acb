import Base
import Synchronization
import SystemPackage

/// How a log directory is read again in the background.
public struct LogScrubberSettings: Sendable, Equatable {
    /// At most so much is read a second, on the average; zero: nothing ever is.
    public var bytesPerSecond = ByteCount.mib(8)
    /// A round over the whole directory begins so long after the last one began, or when that one is over.
    public var roundInterval = Duration.seconds(7 * 86_400)
    var stepBytes: Int64 = 1 << 20

    public init() {}
}

/// Reads all that a log directory holds on its disk over and over, slowly, so that rot in what nobody reads is found while a copy or the source may
/// still be there.
///
/// A round goes from partition to partition, from segment to segment, up to each log's durable offset, and looks at what recovery looks at: every CRC,
/// that every batch begins where the last one ended, and that it is of the epoch that the log's epochs say. Where something is wrong the segment is
/// read a second time, from the disk. Wrong again, it is told (`LogFact.rotFound`), and the damaged batches go where recovery would put them
/// (`SegmentRepair`), so that readers go on behind them. The round's place is kept in `scrub-position` and survives restarts.
///
/// It has no thread of its own: call `step` again after the time that it returns, one call at a time. A step reads about a mebibyte, or one batch.
/// What it read leaves the page cache again, unless it was there before.
public final class LogScrubber: Sendable {
    private struct Round {
        var begun: Timestamp
        var rest: ArraySlice<PartitionLog>
        /// Where the round goes on within the first of them.
        var from = Offset.zero
        var segmentCount = 0
        var bytesRead: Int64 = 0
        var flawCount = 0
    }

    private struct State {
        var round: Round?
        var scrub: SegmentScrub?
        /// When the last round began, and whether it was left before its end.
        var lastBegun: Timestamp?
        var resume: ScrubPosition?
        var isLoaded = false
        var lastSaved = Instant.zero
    }

    private static let pause = Duration.seconds(60)
    private static let saveInterval = Duration.seconds(60)

    private let directory: LogDirectory
    private let settings: LogScrubberSettings
    private let state = Mutex(State())

    public init(_ directory: LogDirectory, settings: LogScrubberSettings = LogScrubberSettings()) {
        self.directory = directory
        self.settings = settings
    }

    private var shared: LogShared { directory.shared }

    /// Reads on. Gives after what time to call again.
    public func step() -> Duration {
        guard settings.bytesPerSecond > .zero, directory.offlineReason == nil,
            directory.state.withLock({ $0.isOpen })
        else { return Self.pause }
        return state.withLock { state in
            load(&state)
            if state.round == nil, !beginRound(&state) { return Self.pause }
            let bytes = readOn(&state)
            save(&state)
            return .microseconds(bytes * 1_000_000 / Int64(settings.bytesPerSecond.bytes))
        }
    }

    // MARK: - Rounds

    private func load(_ state: inout State) {
        if state.isLoaded { return }
        state.isLoaded = true
        state.lastSaved = shared.time.now
        let file = directory.folder.file(ScrubPosition.fileName)
        // One that can't be read costs a round more.
        guard let text = try? shared.fileSystem.contents(of: file, bytesMax: .kib(4)),
            let position = ScrubPosition(text: text)
        else { return }
        state.lastBegun = position.begun
        if position.next != nil { state.resume = position }
    }

    private func beginRound(_ state: inout State) -> Bool {
        let now = shared.time.wallTime
        let logs = directory.partitions
        if let resume = state.resume, let next = resume.next {
            state.resume = nil
            let rest = logs.drop { $0.partition < next.partition }
            let isThere = rest.first?.partition == next.partition
            state.round = Round(begun: resume.begun, rest: rest, from: isThere ? next.base : .zero)
            return true
        }
        // A clock that was set back must not put it off for ever.
        if let last = state.lastBegun, now >= last, now - last < settings.roundInterval { return false }
        state.lastBegun = now
        state.round = Round(begun: now, rest: logs[...])
        return true
    }

    /// Reads a step's worth, and gives how many bytes that were.
    private func readOn(_ state: inout State) -> Int64 {
        var bytes: Int64 = 0
        while bytes < settings.stepBytes, var round = state.round {
            defer { state.round = round.rest.isEmpty ? nil : round }
            guard let log = round.rest.first else {
                end(round)
                break
            }
            if state.scrub == nil {
                guard let scrub = SegmentScrub(of: log, from: round.from) else {
                    round.rest.removeFirst()
                    round.from = .zero
                    if round.rest.isEmpty { end(round) }
                    continue
                }
                state.scrub = scrub
            }
            let (outcome, count) = state.scrub!.read(bytesMax: settings.stepBytes - bytes)
            bytes += count
            round.bytesRead += count
            if case .more = outcome { continue }
            round.segmentCount += 1
            round.from = state.scrub!.segment.baseOffset + 1
            if case .flaw(let position, let reason) = outcome {
                if handle(reason, at: position, state.scrub!) { round.flawCount += 1 }
            }
            state.scrub = nil
        }
        return bytes
    }

    private func end(_ round: Round) {
        shared.emit(
            .scrubbed(
                directory.path, segments: round.segmentCount, bytes: ByteCount(Int(round.bytesRead)),
                flaws: round.flawCount))
    }

    /// True where the flaw stands at a second look too.
    private func handle(_ reason: String, at position: Int64, _ scrub: SegmentScrub) -> Bool {
        let (log, path) = (scrub.log, scrub.segment.path)
        do throws(FileError) { return try log.mendIfDamaged(scrub, found: reason, at: position) } catch {
            // The segment is damaged, and stays so: told, and met again by the next round.
            shared.emit(.rotFound(log.partition, file: path, position: position, reason: reason))
            shared.emit(.maintenanceFailed(log.partition, reason: "\(path) could not be mended: \(error)"))
            return true
        }
    }

    /// Once a minute, and when a round is over.
    private func save(_ state: inout State) {
        let now = shared.time.now
        let isDue = state.round == nil || now - state.lastSaved >= Self.saveInterval
        guard isDue, let begun = state.lastBegun else { return }
        state.lastSaved = now
        let base = state.scrub?.segment.baseOffset
        let next = state.round.flatMap { round in
            round.rest.first.map { (partition: $0.partition, base: base ?? round.from) }
        }
        // A full disk costs a part of a round after the next start.
        try? shared.fileSystem.replace(
            ScrubPosition.fileName, in: directory.folder, with: ScrubPosition(begun: begun, next: next).text)
    }
}
