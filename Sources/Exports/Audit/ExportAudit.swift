import Base

/// Something that an audit found, with the place and what it means.
public struct AuditFinding: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        /// The records of a chain don't follow from each other.
        case chain
        /// A record names a file that is not in the table.
        case missing
        /// A file has another length, other bytes or another number of rows than its record says.
        case length, checksum, rows
        /// A file that no record names: readers see rows twice, or rows of somebody else's.
        case unknown
        /// Two chains hold the same offsets of the same topic: each of those records stands in the table twice.
        case overlap
        /// A marker (`_SUCCESS`) doesn't say what the commits say that it counted.
        case marker
        /// What a source's agent shipped is not what was exported.
        case source
    }

    public var kind: Kind
    public var table: String
    /// The file below the table, or empty where it is about a chain.
    public var path: String
    public var message: String

    public var description: String { "\(table)\(path.isEmpty ? "" : "/" + path): \(message)" }
}

/// What an audit saw.
public struct AuditReport: Sendable {
    public var chains: [ChainSummary] = []
    public var findings: [AuditFinding] = []
    /// Files that were read, of how many bytes, holding how many rows.
    public var fileCount: Int64 = 0
    public var byteCount: Int64 = 0
    public var rowCount: Int64 = 0
    /// Files of commits that are being published now; an audit beside a running pipeline sees them.
    public var pendingFileCount: Int64 = 0
    /// Markers that say what the commits say.
    public var markerCount: Int64 = 0
    /// What was exported, by source.
    public var sources: [ExportedSources] = []
    /// Source hours that were held against the agents' counts.
    public var sourceHourCount = 0
    /// Findings beyond `findingsMax` that are only counted.
    public var moreFindingCount = 0

    public static let findingsMax = 10_000

    public var isFine: Bool { findings.isEmpty && moreFindingCount == 0 }

    public init() {}

    /// Adds what another audit saw.
    public mutating func add(_ other: AuditReport) {
        chains += other.chains
        findings += other.findings
        fileCount += other.fileCount
        byteCount += other.byteCount
        rowCount += other.rowCount
        pendingFileCount += other.pendingFileCount
        markerCount += other.markerCount
        sources += other.sources
        sourceHourCount += other.sourceHourCount
        moreFindingCount += other.moreFindingCount
    }

    public mutating func add(_ kind: AuditFinding.Kind, _ table: String, _ path: String = "", _ message: String) {
        guard findings.count < Self.findingsMax else { return moreFindingCount += 1 }
        findings.append(AuditFinding(kind: kind, table: table, path: path, message: message))
    }
}

/// Proves from the chains that a table holds what was exported and nothing else: each chain's offsets follow each other without a hole or
/// an overlap, every file that it names stands in the table with that length, those bytes and that many rows, and no other file does.
///
/// May run beside the pipeline. Memory: the names of a table's files and of a chain's commits; files are read a piece at a time.
public struct ExportAudit<Store: AuditedStore>: Sendable {
    /// How far an audit is: bytes that were read, of how many.
    public struct Progress: Sendable {
        public var bytesRead: Int64
        public var byteCount: Int64
    }

    private let store: Store
    private let filter: ChainFilter
    private let readsFiles: Bool
    private let progress: @Sendable (Progress) -> Void

    /// - Parameter readsFiles: false looks at chains, names and lengths only, which is fast.
    public init(
        _ store: Store, filter: ChainFilter = ChainFilter(), readsFiles: Bool = true,
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) {
        self.store = store
        self.filter = filter
        self.readsFiles = readsFiles
        self.progress = progress
    }

    public func run() async throws(ExportError) -> AuditReport {
        var report = AuditReport()
        var chains = try await store.chains()
        let tables = Set(chains.filter(filter.takes).map(\.table)).sorted()
        for table in tables {
            // In this order: a file that is listed was named by a record before, which is read after.
            let published = try await store.publishedFiles(of: table)
            chains = try await store.chains()
            try await audit(table, chains.filter { $0.table == table }, published, &report)
        }
        return report
    }

    /// All chains of the table are walked, for a file of any of them belongs there; what is found in those that the filter leaves out is
    /// not reported.
    private func audit(
        _ table: String, _ chains: [ChainID], _ published: [String], _ report: inout AuditReport
    ) async throws(ExportError) {
        var named: Set<String> = []
        var exported: [TopicPartitionKey: [ExportedRange]] = [:]
        var files: [(file: CommitRecord.File, record: CommitRecord)] = []
        var markers = MarkerAudit()
        var sources: [String: ExportedSources] = [:]
        for chain in chains {
            let isWanted = filter.takes(chain)
            var previous: CommitRecord?
            var summary: ChainSummary?
            for index in try await store.recordIndexes(of: chain) {
                guard let record = try await store.record(index, of: chain) else { continue }
                if summary == nil { summary = ChainSummary(record) }
                summary?.add(record)
                if isWanted, let problem = CommitChain.problem(previous, record) {
                    report.add(.chain, table, "", "\(chain): \(problem)")
                }
                previous = record
                markers.add(record)
                if isWanted {
                    sources[chain.pipeline, default: ExportedSources(pipeline: chain.pipeline, table: table)].add(
                        record)
                }
                for file in record.files {
                    if !named.insert(file.finalPath).inserted {
                        report.add(
                            .chain, table, file.finalPath, "two commits name this file; one is \(index) of \(chain)")
                    } else if isWanted {
                        files.append((file, record))
                    }
                }
            }
            guard let summary else { continue }
            if isWanted { report.chains.append(summary) }
            exported[TopicPartitionKey(chain), default: []].append(ExportedRange(summary))
        }
        report.sources += sources.sorted { $0.key < $1.key }.map(\.value)
        for path in published where Self.isMarker(path) { try await audit(markerAt: path, table, markers, &report) }
        for path in published where !named.contains(path) && !Self.isMarker(path) {
            report.add(
                .unknown, table, path,
                "no commit names this file: its rows are twice in the table, or not of this export")
        }
        for ranges in exported.values { findOverlaps(ranges, table, &report) }
        let byteCount = files.reduce(0) { $0 + $1.file.length }
        let before = report.byteCount
        for (file, record) in files {
            try await audit(file, record, &report)
            progress(Progress(bytesRead: report.byteCount - before, byteCount: byteCount))
        }
    }

    private static func isMarker(_ path: String) -> Bool { path.hasSuffix("/" + HourMarker.fileName) }

    private func audit(
        markerAt path: String, _ table: String, _ markers: MarkerAudit, _ report: inout AuditReport
    ) async throws(ExportError) {
        let folder = String(path.dropLast(HourMarker.fileName.utf8.count + 1))
        do throws(ExportError) {
            guard let marker = try await store.marker(in: folder, of: table),
                filter.pipeline == nil || filter.pipeline == marker.pipeline
            else { return }
            guard let problem = markers.problem(marker, in: folder) else { return report.markerCount += 1 }
            report.add(.marker, table, path, problem)
        } catch {
            guard error.code == .damaged else { throw error }
            report.add(.marker, table, path, error.message)
        }
    }

    private func findOverlaps(_ ranges: [ExportedRange], _ table: String, _ report: inout AuditReport) {
        let sorted = ranges.sorted { $0.from < $1.from }
        for (range, next) in zip(sorted, sorted.dropFirst()) where next.from < range.to {
            let twice = "\(next.from)..<\(min(range.to, next.to))"
            report.add(.overlap, table, "", "\(range.chain) and \(next.chain) both hold offsets \(twice)")
        }
    }

    private func audit(
        _ file: CommitRecord.File, _ record: CommitRecord, _ report: inout AuditReport
    ) async throws(ExportError) {
        let table = record.chain.table
        guard let length = try await published(file, record) else {
            if try await store.isStaged(file, of: record) {
                report.pendingFileCount += 1
            } else {
                let rows = "\(file.rows) rows of \(record.chain), offsets \(record.from)..<\(record.to)"
                report.add(.missing, table, file.finalPath, "the file is gone, and \(rows) with it")
            }
            return
        }
        report.fileCount += 1
        guard length == file.length else {
            return report.add(
                .length, table, file.finalPath, "the file has \(length) bytes, its commit says \(file.length)")
        }
        guard readsFiles else {
            report.byteCount += length
            report.rowCount += file.rows
            return
        }
        var checksum: UInt32 = 0
        let rows = RowCounters.make(fileName: file.finalPath)
        var bytesRead: Int64 = 0
        let isThere = try await store.readPublished(file.finalPath, of: table) { piece in
            checksum = CRC32C.checksum(piece, continuing: checksum)
            rows?.read(piece)
            bytesRead += Int64(piece.count)
        }
        report.byteCount += bytesRead
        guard isThere else { return report.add(.missing, table, file.finalPath, "the file went while it was audited") }
        guard checksum == file.crc32c else {
            return report.add(
                .checksum, table, file.finalPath,
                "the file's bytes have CRC-32C \(CommitRecord.hex(checksum)), its commit says \(CommitRecord.hex(file.crc32c))"
            )
        }
        guard let rows else { return }
        let counted = rows.finish()
        guard counted == file.rows else {
            let found = counted.map { "\($0) rows" } ?? "no whole \(file.finalPath.suffix(12))"
            return report.add(.rows, table, file.finalPath, "the file holds \(found), its commit says \(file.rows)")
        }
        report.rowCount += file.rows
    }

    /// The length of a file in the table; looked at twice where it isn't, for an owner may publish it between our two looks.
    private func published(
        _ file: CommitRecord.File, _ record: CommitRecord
    ) async throws(ExportError) -> Int64? {
        if let length = try await store.publishedLength(file.finalPath, of: record.chain.table) { return length }
        if try await store.isStaged(file, of: record) { return nil }
        return try await store.publishedLength(file.finalPath, of: record.chain.table)
    }
}

/// A topic that was made again under the same name is another.
private struct TopicPartitionKey: Hashable {
    let topicID: TopicID
    let partition: Int32

    init(_ chain: ChainID) {
        topicID = chain.topicID
        partition = chain.partition
    }
}

private struct ExportedRange {
    let chain: ChainID
    let from: Offset
    let to: Offset

    init(_ summary: ChainSummary) {
        chain = summary.chain
        from = summary.from
        to = summary.to
    }
}
