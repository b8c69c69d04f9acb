public import Base

/// Decides when a folder of a table is final, without any I/O: events in, actions out.
///
///     agents' watermarks pass T → the topics' ends are asked → the chains pass those ends → everything before T is exported
///                               → folders that ended before T − lateness get their marker; one whose rows grow gets the next generation
///
/// - In this order: what an agent shipped until T lies below the ends that are asked after its watermark T was read.
/// - One pair of watermark and ends is on its way at a time.
/// - Only what is published counts: the caller reports a commit once its files stand in the table.
/// - What a marker says is read back after it was written: an owner that was fenced may have put an older one over it.
public struct MarkerMachine: Sendable {
    public struct Settings: Sendable, Equatable {
        /// How long after a folder's end its rows may still be written by their sources, or noticed by their agents.
        public var lateness: Duration
        /// How far an agent's watermark may lag before it is no longer waited for, and listed as silent.
        public var silentAfter: Duration
        /// False where the records come from other producers: then the clock decides.
        public var waitsForAgents: Bool

        public init(
            lateness: Duration = .seconds(600), silentAfter: Duration = .seconds(6 * 3600), waitsForAgents: Bool = true
        ) {
            self.lateness = lateness
            self.silentAfter = silentAfter
            self.waitsForAgents = waitsForAgents
        }
    }

    /// What an agent last said.
    public struct AgentReport: Sendable, Equatable {
        public var name: String
        /// Nil while it has not said one.
        public var watermark: Timestamp?
        public var sources: [String]
        public var sourcesTotal: Int64

        public init(name: String, watermark: Timestamp?, sources: [String] = [], sourcesTotal: Int64 = 0) {
            self.name = name
            self.watermark = watermark
            self.sources = sources
            self.sourcesTotal = sourcesTotal
        }
    }

    public enum Action: Sendable, Equatable {
        /// Ask the next offset of every partition; answer `endsFound`.
        case findEnds
        /// Answer `markerRead`.
        case readMarker(folder: String)
        /// Put the marker into its folder in place of the one that stands there; answer `markerWritten`.
        case write(HourMarker)
    }

    /// A partition of a topic; one that was made again is another.
    public struct PartitionID: Sendable, Hashable, Comparable {
        public var topicID: TopicID
        public var partition: Int32

        public init(topicID: TopicID, partition: Int32) {
            self.topicID = topicID
            self.partition = partition
        }

        public init(_ chain: ChainID) { self.init(topicID: chain.topicID, partition: chain.partition) }

        public static func < (left: PartitionID, right: PartitionID) -> Bool {
            (left.topicID.description, left.partition) < (right.topicID.description, right.partition)
        }
    }

    private struct Folder {
        var rows: Int64 = 0
        var files: Int64 = 0
        var marker = Marker.unknown
    }

    private enum Marker: Equatable {
        case unknown
        case asked
        /// Nil where none stands.
        case read(HourMarker?)
        case writing(HourMarker)
        /// Written, to be read back.
        case written(HourMarker)
        case settled(HourMarker)
        /// The folder isn't in the table any more.
        case gone
    }

    /// What was known when the ends were asked.
    private struct Barrier {
        var time: Timestamp
        var agents: [HourMarker.Agent]
        var sources: [String]
        var sourcesTotal: Int64
        /// Nil while they are asked.
        var ends: [PartitionID: Offset]?
    }

    /// Markers that are read or written in one go.
    public static let actionsMax = 200

    public let pipeline: String
    public let table: String
    public let layout: TableLayout
    public let settings: Settings
    private var firstSeen: [String: Timestamp] = [:]
    private var positions: [PartitionID: HourMarker.Position] = [:]
    private var folders: [String: Folder] = [:]
    /// Folders whose marker isn't known to say what they hold.
    private var open: Set<String> = []
    private var barrier: Barrier?
    /// Everything before its time is exported.
    private var passed: Barrier?

    public init(pipeline: String, table: String, layout: TableLayout, settings: Settings) {
        self.pipeline = pipeline
        self.table = table
        self.layout = layout
        self.settings = settings
    }

    /// Everything that was shipped until then is exported; nil before that is known of any time.
    public var completeThrough: Timestamp? { passed?.time }

    // MARK: - Events

    /// The agents that feed the pipeline's topics, as their last reports say.
    public mutating func agentsReported(_ reports: [AgentReport], wallTime: Timestamp) -> [Action] {
        guard barrier == nil else { return [] }
        guard let next = judge(reports, wallTime), next.time > passed?.time ?? .none else { return [] }
        barrier = next
        return [.findEnds]
    }

    private mutating func judge(_ reports: [AgentReport], _ wallTime: Timestamp) -> Barrier? {
        guard settings.waitsForAgents else {
            return Barrier(time: wallTime, agents: [], sources: [], sourcesTotal: 0)
        }
        var next = Barrier(time: wallTime, agents: [], sources: [], sourcesTotal: 0)
        var isHeld = reports.isEmpty
        for report in reports.sorted(by: { $0.name < $1.name }) {
            let seen = firstSeen[report.name] ?? wallTime
            firstSeen[report.name] = seen
            // An agent that has only just been seen is given its time, too.
            let isSilent = wallTime - max(report.watermark ?? seen, seen) > settings.silentAfter
            next.agents.append(
                HourMarker.Agent(name: report.name, watermark: report.watermark ?? .none, isSilent: isSilent))
            next.sources += report.sources
            next.sourcesTotal += max(report.sourcesTotal, Int64(report.sources.count))
            guard !isSilent else { continue }
            guard let watermark = report.watermark else {
                isHeld = true
                continue
            }
            next.time = min(next.time, watermark)
        }
        next.sources = Array(Set(next.sources).sorted().prefix(HourMarker.sourcesMax))
        return isHeld ? nil : next
    }

    /// The next offset of every partition of the topics. One without records ends at 0.
    public mutating func endsFound(_ ends: [PartitionID: Offset]) { barrier?.ends = ends }

    /// The ends could not be asked; they will be anew.
    public mutating func endsNotFound() { barrier = nil }

    /// The next record of a chain, its files published. Of each chain from the first on, in order.
    public mutating func published(_ record: CommitRecord) {
        positions[PartitionID(record.chain)] = HourMarker.Position(record.chain, to: record.to)
        for file in record.files {
            guard let slash = file.finalPath.utf8.lastIndex(of: UInt8(ascii: "/")) else { continue }
            let folder = String(file.finalPath[..<slash])
            folders[folder, default: Folder()].rows += file.rows
            folders[folder]!.files += 1
            open.insert(folder)
            if folders[folder]!.marker == .gone { folders[folder]!.marker = .unknown }
        }
    }

    /// - Parameter marker: nil where none stands.
    public mutating func markerRead(_ marker: HourMarker?, in folder: String) {
        guard case .written(let ours) = folders[folder]?.marker, marker == ours else {
            folders[folder]?.marker = .read(marker)
            return
        }
        folders[folder]!.marker = .settled(ours)
    }

    /// - Parameter isThere: false where the folder is gone from the table, so that nothing was written.
    public mutating func markerWritten(_ marker: HourMarker, isThere: Bool) {
        folders[marker.folder]?.marker = isThere ? .written(marker) : .gone
    }

    /// The marker was not written; it is looked at again.
    public mutating func markerFailed(in folder: String) { folders[folder]?.marker = .unknown }

    // MARK: - Deciding

    /// Everything that was found since the last call is reported: what is to be done.
    public mutating func check(wallTime: Timestamp) -> [Action] {
        if let barrier, let ends = barrier.ends, ends.allSatisfy({ (positions[$0.key]?.to ?? .zero) >= $0.value }) {
            passed = barrier
            self.barrier = nil
        }
        guard let passed else { return [] }
        var actions: [Action] = []
        for folder in open.sorted() where actions.count < Self.actionsMax {
            guard let end = layout.end(ofFolder: folder) else {
                open.remove(folder)
                continue
            }
            guard end + settings.lateness <= passed.time else { continue }
            if let action = decide(folder, passed, wallTime) { actions.append(action) }
        }
        return actions
    }

    private mutating func decide(_ name: String, _ passed: Barrier, _ wallTime: Timestamp) -> Action? {
        guard var folder = folders[name] else { return nil }
        defer { folders[name] = folder }
        let standing: HourMarker?
        switch folder.marker {
        case .asked, .writing: return nil
        case .unknown, .written:
            if case .unknown = folder.marker { folder.marker = .asked }
            return .readMarker(folder: name)
        case .gone:
            open.remove(name)
            return nil
        case .read(let marker):
            // Another pipeline writes into the table too: its marker is left alone.
            if let marker, marker.pipeline != pipeline {
                open.remove(name)
                return nil
            }
            standing = marker
        case .settled(let marker): standing = marker
        }
        let next = marker(name, folder, generation: (standing?.generation ?? 0) + 1, passed, wallTime)
        if let standing, standing.holdsSame(as: next) {
            folder.marker = .settled(standing)
            open.remove(name)
            return nil
        }
        folder.marker = .writing(next)
        return .write(next)
    }

    private func marker(
        _ name: String, _ folder: Folder, generation: Int64, _ passed: Barrier, _ wallTime: Timestamp
    ) -> HourMarker {
        HourMarker(
            pipeline: pipeline, table: table, folder: name, generation: generation, rows: folder.rows,
            files: folder.files, positions: positions.sorted { $0.key < $1.key }.map(\.value), agents: passed.agents,
            sources: passed.sources, sourcesTotal: passed.sourcesTotal, madeAt: wallTime)
    }
}
