public import Base

/// The end of a chain as a new owner reads it.
public struct ChainTail: Sendable, Equatable {
    /// The last record.
    public var last: CommitRecord
    /// The last record that names files; it may not be published yet.
    public var lastCommit: CommitRecord?

    public init(last: CommitRecord, lastCommit: CommitRecord?) {
        self.last = last
        self.lastCommit = lastCommit
    }
}

/// Which offsets of a partition can be read.
public struct LogRange: Sendable, Equatable {
    /// The oldest offset that is still there.
    public var start: Offset
    /// The next offset that a record will get.
    public var end: Offset
    /// Where the records of the leader epoch end that was asked for; nil where nobody knows.
    public var epochEnd: Offset?

    public init(start: Offset, end: Offset, epochEnd: Offset? = nil) {
        self.start = start
        self.end = end
        self.epochEnd = epochEnd
    }
}

/// Where a chain begins that has no record yet.
public enum ExportStart: String, Sendable, CaseIterable {
    case earliest, latest
}

/// The rules that tie each record to the one before it; an audit walks a whole chain with them.
public enum CommitChain {
    /// Nil where `next` may follow `previous` (nil at the beginning), otherwise what is wrong.
    public static func problem(_ previous: CommitRecord?, _ next: CommitRecord) -> String? {
        guard let previous else {
            guard next.index == 0 else { return nil }
            return next.kind == .takeover ? nil : "the chain begins with a \(next.kind.rawValue), not with a takeover"
        }
        guard next.chain == previous.chain else {
            return "record \(next.index) belongs to another chain: \(next.chain)"
        }
        guard next.index == previous.index + 1 else { return "record \(next.index) follows record \(previous.index)" }
        guard next.from == previous.to else {
            return "record \(next.index) begins at offset \(next.from), the one before it ends at \(previous.to)"
        }
        guard next.to >= next.from else { return "record \(next.index) ends before it begins" }
        let lastCommit = previous.kind == .commit ? previous.index : previous.lastCommitIndex
        guard next.lastCommitIndex == lastCommit else { return "record \(next.index) names the wrong last commit" }
        switch next.kind {
        case .takeover where next.from != next.to: return "takeover \(next.index) spans offsets"
        case .commit where next.attempt != previous.attempt:
            return "commit \(next.index) is by another attempt than the record before it"
        case .takeover, .commit, .gap: return nil
        }
    }
}
