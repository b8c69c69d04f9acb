public import Base

/// What one chain says that it has exported.
public struct ChainSummary: Sendable, Equatable {
    public var chain: ChainID
    /// Where the chain begins, and the next offset that nobody exported yet.
    public var from: Offset
    public var to: Offset
    public var commitCount: Int64 = 0
    public var takeoverCount: Int64 = 0
    /// Records read from the topic; fewer than `to - from` where it was compacted or held control records, or where offsets were lost.
    public var recordCount: Int64 = 0
    public var rowCount: Int64 = 0
    public var fileCount: Int64 = 0
    /// Of the files, in bytes.
    public var byteCount: Int64 = 0
    /// Offsets whose loss an operator accepted.
    public var lostOffsetCount: Int64 = 0
    /// When the last commit was made; nil before the first.
    public var lastCommitAt: Timestamp?

    init(_ first: CommitRecord) {
        chain = first.chain
        from = first.from
        to = first.from
    }

    mutating func add(_ record: CommitRecord) {
        to = record.to
        switch record.kind {
        case .takeover: takeoverCount += 1
        case .gap: lostOffsetCount += record.to.rawValue - record.from.rawValue
        case .commit:
            commitCount += 1
            recordCount += record.recordCount
            rowCount += record.rowCount
            fileCount += Int64(record.files.count)
            byteCount += record.files.reduce(0) { $0 + $1.length }
            lastCommitAt = record.madeAt
        }
    }
}

/// Which chains a list or an audit looks at.
public struct ChainFilter: Sendable {
    public var pipeline: String?
    public var table: String?

    public init(pipeline: String? = nil, table: String? = nil) {
        self.pipeline = pipeline
        self.table = table
    }

    public func takes(_ chain: ChainID) -> Bool {
        (pipeline == nil || pipeline == chain.pipeline) && (table == nil || table == chain.table)
    }
}

extension AuditedStore {
    /// What each chain has exported, by its records alone; no file of a table is looked at.
    public func summaries(_ filter: ChainFilter = ChainFilter()) async throws(ExportError) -> [ChainSummary] {
        var summaries: [ChainSummary] = []
        for chain in try await chains() where filter.takes(chain) {
            var summary: ChainSummary?
            for index in try await recordIndexes(of: chain) {
                guard let record = try await record(index, of: chain) else { continue }
                if summary == nil { summary = ChainSummary(record) }
                summary?.add(record)
            }
            if let summary { summaries.append(summary) }
        }
        return summaries
    }
}
