import Base
import Exports

/// The real local store, before each of whose calls its owner may be held up: for a moment, or so long that others take it for dead.
final class PausingStore: ExportStore {
    private let store: LocalStore
    private let pause: @Sendable () async -> Void

    init(_ store: LocalStore, pause: @escaping @Sendable () async -> Void) {
        self.store = store
        self.pause = pause
    }

    func tail(of chain: ChainID) async throws(ExportError) -> ChainTail? {
        await pause()
        return try await store.tail(of: chain)
    }

    func record(_ index: Int64, of chain: ChainID) async throws(ExportError) -> CommitRecord? {
        await pause()
        return try store.record(index, of: chain)
    }

    func append(_ record: CommitRecord) async throws(ExportError) -> Bool {
        await pause()
        return try store.append(record)
    }

    func stagedAttempts(of chain: ChainID) async throws(ExportError) -> [AttemptID] {
        await pause()
        return try store.stagedAttempts(of: chain)
    }

    func stage(_ name: String, for attempt: AttemptID, of chain: ChainID) async throws(ExportError) -> PausingFile {
        await pause()
        return PausingFile(try store.stage(name, for: attempt, of: chain), pause)
    }

    func sealStaging(
        _ files: [(file: PausingFile, entry: CommitRecord.File)], of attempt: AttemptID, of chain: ChainID
    ) async throws(ExportError) -> [CommitRecord.File] {
        await pause()
        return try store.sealStaging(files.map { ($0.file.file, $0.entry) }, of: attempt, of: chain)
    }

    func publish(_ record: CommitRecord, isFresh: Bool) async throws(ExportError) {
        await pause()
        try store.publish(record, isFresh: isFresh)
    }

    func removeStaging(of attempt: AttemptID, of chain: ChainID) async throws(ExportError) {
        await pause()
        try store.removeStaging(of: attempt, of: chain)
    }
}

final class PausingFile: StagedFile {
    let file: LocalStagedFile
    private let pause: @Sendable () async -> Void

    init(_ file: LocalStagedFile, _ pause: @escaping @Sendable () async -> Void) {
        self.file = file
        self.pause = pause
    }

    func write(_ bytes: [UInt8]) async throws(ExportError) {
        await pause()
        try file.write(bytes)
    }

    func finish() async throws(ExportError) {
        await pause()
        try file.finish()
    }

    func discard() { file.discard() }
}
