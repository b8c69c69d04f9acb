public import Base

/// Where an export's files and its chain live. `LocalStore` is the local disk; WebHDFS and S3 keep the same promises by other means.
///
/// What every store promises:
/// - `append` creates the record only where none stands at its index, and a record that can be read is complete. When it returns, the
///   record is durable, whoever wrote it.
/// - What `finish` and `sealStaging` returned for is durable before `append` is called with a record that names it.
/// - `publish` may be repeated by several owners at once; a file is moved from staging into the table exactly once. When it returns, the
///   table's files are durable.
/// - An error with code `.unanswered` means that the effect is unknown; any other means that nothing was changed for good.
public protocol ExportStore: Sendable {
    associatedtype File: StagedFile

    /// The chain's last record and its last commit; nil where there is no record.
    func tail(of chain: ChainID) async throws(ExportError) -> ChainTail?

    /// The record at an index, or nil.
    func record(_ index: Int64, of chain: ChainID) async throws(ExportError) -> CommitRecord?

    /// True where the record was created, false where one stands there already.
    func append(_ record: CommitRecord) async throws(ExportError) -> Bool

    /// The attempts that have a staging folder.
    func stagedAttempts(of chain: ChainID) async throws(ExportError) -> [AttemptID]

    /// Opens a new file in the attempt's staging folder.
    func stage(_ name: String, for attempt: AttemptID, of chain: ChainID) async throws(ExportError) -> File

    /// Makes finished files of the attempt durable, now that it is known what a record will call them.
    /// - Returns: the files as the record has to name them, in the same order.
    func sealStaging(
        _ files: [(file: File, entry: CommitRecord.File)], of attempt: AttemptID, of chain: ChainID
    ) async throws(ExportError) -> [CommitRecord.File]

    /// Brings the record's files into the table. A file that is no longer staged was published before.
    /// - Parameter isFresh: nobody can have removed the files from the table yet, so one that stands in neither place is an error.
    func publish(_ record: CommitRecord, isFresh: Bool) async throws(ExportError)

    /// Deletes all that an attempt staged; nothing staged is fine.
    func removeStaging(of attempt: AttemptID, of chain: ChainID) async throws(ExportError)
}

/// A file that is being written in a staging folder, from its beginning to its end.
public protocol StagedFile: AnyObject {
    func write(_ bytes: [UInt8]) async throws(ExportError)

    /// Closes the file once its bytes are durable.
    func finish() async throws(ExportError)

    /// Closes the file without waiting for anything.
    func discard()
}
