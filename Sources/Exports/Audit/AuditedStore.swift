import Base

/// What an audit needs of a store beyond what an owner does: to list, and to read what was published.
public protocol AuditedStore: ExportStore {
    /// Every chain below the root, of all pipelines, that has a record.
    func chains() async throws(ExportError) -> [ChainID]

    /// The chain's indexes, ascending and without a hole.
    func recordIndexes(of chain: ChainID) async throws(ExportError) -> [Int64]

    /// The paths of all files below a table's folder, relative to it.
    func publishedFiles(of table: String) async throws(ExportError) -> [String]

    /// The length in bytes of a published file, or nil where there is none.
    func publishedLength(_ path: String, of table: String) async throws(ExportError) -> Int64?

    /// Hands the bytes of a published file to `body`, a piece at a time, in order.
    /// - Returns: false where there is no such file.
    func readPublished(
        _ path: String, of table: String, _ body: (UnsafeRawBufferPointer) throws(ExportError) -> Void
    ) async throws(ExportError) -> Bool

    /// True while the file waits in the attempt's staging folder.
    func isStaged(_ file: CommitRecord.File, of record: CommitRecord) async throws(ExportError) -> Bool

    /// The marker of a table's folder, or nil; whatever else stands under its name is an error.
    func marker(in folder: String, of table: String) async throws(ExportError) -> HourMarker?

    /// Puts a marker into its folder in place of the one that stands there; readers see the old one, none or the new one, never a part.
    /// - Returns: false where the folder isn't there (any more).
    func writeMarker(_ marker: HourMarker) async throws(ExportError) -> Bool
}

extension HourMarker {
    /// Reads a marker that stands at a path.
    public init(encoded bytes: [UInt8], at path: String) throws(ExportError) {
        do throws(CommitRecordError) { self = try Self(encoded: bytes) } catch {
            throw ExportError(
                .damaged, "\(path) is no marker of an export: \(error); remove it, and it is written anew", cause: error
            )
        }
    }
}
