import Base
public import SystemPackage

/// Something in a log directory that is not as it was written.
public struct LogFinding: Sendable, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        /// Bytes of a segment that are no sound batch, or a batch that can't stand there.
        case batch
        /// An `.index`, `.timeindex` or `.txnindex` that does not say what the segment holds. A start rebuilds those it notices; a wrong one makes reads slower or fail, never wrong.
        case index
        /// A producer snapshot that can't be read; a start uses an older one and the batches' headers.
        case snapshot
        /// A leader epoch that the batches contradict.
        case epoch
        /// `partition.metadata` or `durable-point` is damaged, or they name different topics.
        case metadata
        /// A checkpoint file of the directory is damaged, or speaks of what isn't there.
        case checkpoint
        /// A file or folder that is none of a log's.
        case strange
        /// It could not be read.
        case unreadable
    }

    public var kind: Kind
    public var path: FilePath
    /// Where in the file, if that is known.
    public var position: Int64?
    public var message: String

    public var description: String { position.map { "\(path) at byte \($0): \(message)" } ?? "\(path): \(message)" }
}

/// What `LogVerifier` saw.
public struct LogReport: Sendable, Equatable {
    /// Further ones are only counted.
    public static let findingsMax = 1000

    public var partitionCount = 0
    public var segmentCount = 0
    public var batchCount: Int64 = 0
    public var recordCount: Int64 = 0
    /// Bytes of segments that were read.
    public var bytesRead: Int64 = 0
    public private(set) var findings: [LogFinding] = []
    public private(set) var moreFindingCount = 0

    public var isFine: Bool { findings.isEmpty }

    mutating func add(_ finding: LogFinding) {
        if findings.count < Self.findingsMax { findings.append(finding) } else { moreFindingCount += 1 }
    }
}
