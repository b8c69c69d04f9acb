public import Base

/// One link of a chain: what was exported, complete and create-only-if-absent, so that whoever reads it knows the whole truth.
///
/// On disk a record is two lines of JSON: the record, and the CRC-32C of the first line with its newline:
///
///     {"millrace":"export-commit","version":1,"kind":"commit","pipeline":"nginx-to-jsonl",…,"from":0,"to":512,"files":[…]}
///     {"crc32c":"9ae0daaf"}
public struct CommitRecord: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// Offsets `from..<to` stand in `files`.
        case commit
        /// A new owner begins at `to`; every older attempt is fenced.
        case takeover
        /// An operator accepted that offsets `from..<to` are lost.
        case gap
    }

    public struct File: Sendable, Equatable {
        /// The name in the attempt's staging folder.
        public var stagedName: String
        /// The path below the table.
        public var finalPath: String
        /// In bytes.
        public var length: Int64
        public var rows: Int64
        /// Of all the file's bytes.
        public var crc32c: UInt32
        /// In a store without renames: the upload that becomes the file once it is completed.
        public var upload: Upload?

        public init(
            stagedName: String, finalPath: String, length: Int64, rows: Int64, crc32c: UInt32, upload: Upload? = nil
        ) {
            self.stagedName = stagedName
            self.finalPath = finalPath
            self.length = length
            self.rows = rows
            self.crc32c = crc32c
            self.upload = upload
        }
    }

    /// A multipart upload of S3 that has all its parts.
    public struct Upload: Sendable, Equatable {
        public var id: String
        /// Of the parts 1, 2, …, as the store gave them.
        public var etags: [String]

        public init(id: String, etags: [String]) {
            self.id = id
            self.etags = etags
        }
    }

    public var chain: ChainID
    /// Dense from 0.
    public var index: Int64
    public var attempt: AttemptID
    public var kind: Kind
    public var from: Offset
    /// The next offset that nobody exported yet.
    public var to: Offset
    /// Of the last record before `to`, as the log said.
    public var leaderEpoch: LeaderEpoch
    /// The index of the last `commit` before this record, whose publication a new owner has to finish; −1 where there is none.
    public var lastCommitIndex: Int64
    /// Records read from the topic in `from..<to`; offsets that hold none (compacted, control) don't count.
    public var recordCount: Int64
    /// The records by source and hour; empty in records of programs that did not count them.
    public var sources: SourceTally
    public var files: [File]
    /// When the record was made, by the owner's clock.
    public var madeAt: Timestamp
    /// Why, for a gap.
    public var note: String

    public init(
        chain: ChainID, index: Int64, attempt: AttemptID, kind: Kind, from: Offset, to: Offset,
        leaderEpoch: LeaderEpoch,
        lastCommitIndex: Int64, recordCount: Int64 = 0, sources: SourceTally = SourceTally(), files: [File] = [],
        madeAt: Timestamp, note: String = ""
    ) {
        self.chain = chain
        self.index = index
        self.attempt = attempt
        self.kind = kind
        self.from = from
        self.to = to
        self.leaderEpoch = leaderEpoch
        self.lastCommitIndex = lastCommitIndex
        self.recordCount = recordCount
        self.sources = sources
        self.files = files
        self.madeAt = madeAt
        self.note = note
    }

    public var rowCount: Int64 { files.reduce(0) { $0 + $1.rows } }

    /// True where the same attempt wrote both as the same step: an answer that was lost, not another owner.
    public func isSame(as other: CommitRecord) -> Bool {
        attempt == other.attempt && index == other.index && kind == other.kind && from == other.from && to == other.to
    }
}
