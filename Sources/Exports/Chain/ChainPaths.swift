/// Where a chain lives below an export's root; the same in every store, so that a tree that was copied from one to another is still read.
///
///     .millrace/<pipeline>/<table>/<topic>-<id8>/p00003/00000000000000000042.commit      a record
///     .millrace/<pipeline>/<table>/<topic>-<id8>/p00003/staging/<attempt>/0.json.gz      not yet in the table
public enum ChainPaths {
    public static let top = ".millrace"
    public static let recordSuffix = ".commit"

    public static func folder(_ chain: ChainID) -> String {
        "\(top)/\(chain.pipeline)/\(chain.table)/\(chain.topic)-\(chain.shortTopicID)/\(chain.partitionText)"
    }

    public static func recordName(_ index: Int64) -> String { String(index).leftPadded(to: 20) + recordSuffix }

    public static func staging(_ chain: ChainID) -> String { folder(chain) + "/staging" }

    public static func staging(_ attempt: AttemptID, of chain: ChainID) -> String { "\(staging(chain))/\(attempt)" }

    /// The indexes of the records among the names in a chain's folder, ascending and without a hole.
    /// - Parameters:
    ///   - folder: for the error.
    ///   - archivedEnd: those below were collected, and don't count.
    public static func indexes(
        of names: [String], in folder: String, from archivedEnd: Int64 = 0
    ) throws(ExportError) -> [Int64] {
        var indexes: [Int64] = []
        for name in names where name.hasSuffix(recordSuffix) {
            guard let index = Int64(name.dropLast(recordSuffix.utf8.count)), index >= 0, name == recordName(index)
            else {
                throw ExportError(.damaged, "\(folder)/\(name) is not named as a commit record; remove it")
            }
            if index >= archivedEnd { indexes.append(index) }
        }
        indexes.sort()
        if let first = indexes.first, first > archivedEnd {
            throw ExportError(
                .damaged,
                "the chain in \(folder) misses records \(archivedEnd)..<\(first); restore them from a backup")
        }
        for (index, next) in zip(indexes, indexes.dropFirst()) where next != index + 1 {
            throw ExportError(
                .damaged, "the chain in \(folder) misses records \(index + 1)..<\(next); restore them from a backup")
        }
        return indexes
    }
}

extension CommitRecord {
    /// Reads a record that stands at a place: what is there must be whole and belong there.
    public init(
        encoded bytes: [UInt8], at path: String, index: Int64, of chain: ChainID
    ) throws(ExportError) {
        self = try Self(encoded: bytes, at: path)
        guard self.index == index, self.chain == chain else {
            throw ExportError(.damaged, "\(path) holds record \(self.index) of \(self.chain); it was moved or copied")
        }
    }

    /// Reads a record of whatever chain.
    public init(encoded bytes: [UInt8], at path: String) throws(ExportError) {
        do throws(CommitRecordError) { self = try Self(encoded: bytes) } catch {
            throw ExportError(.damaged, "\(path) is damaged: \(error); restore it from a backup", cause: error)
        }
    }
}

extension ExportStore {
    /// The end of a chain whose last record stands at `index`.
    public func tail(at index: Int64, of chain: ChainID, in folder: String) async throws(ExportError) -> ChainTail {
        guard let last = try await record(index, of: chain) else {
            throw ExportError(.store, "record \(index) of \(chain) vanished while it was read")
        }
        let commitIndex = last.kind == .commit ? index : last.lastCommitIndex
        guard commitIndex >= 0 else { return ChainTail(last: last, lastCommit: nil) }
        guard let commit = commitIndex == index ? last : try await record(commitIndex, of: chain),
            commit.kind == .commit
        else {
            throw ExportError(
                .damaged,
                "\(folder)/\(ChainPaths.recordName(commitIndex)) is missing or no commit, though record \(index) "
                    + "names it; restore it from a backup")
        }
        return ChainTail(last: last, lastCommit: commit)
    }
}
