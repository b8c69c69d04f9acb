import Base
import Events

/// The files that an attempt writes between two commits: one per hour (or whatever the table is partitioned by), a few of them open.
///
/// Memory is bounded twice: by the number of open files (where more hours are fed at once, the least recently used file is closed, and a row
/// that comes for its hour later opens another part), and by the export's `ExportMemory`, which all partitions share.
final class Stage<Store: ExportStore> {
    private final class OpenFile {
        let key: PartitionKey
        let number: Int
        let encoder: any RowEncoder
        var file: Store.File?
        var length: Int64 = 0
        var crc32c: UInt32 = 0
        var lastUse: UInt64 = 0

        init(key: PartitionKey, number: Int, encoder: any RowEncoder) {
            self.key = key
            self.number = number
            self.encoder = encoder
        }
    }

    private struct ClosedFile {
        var file: Store.File
        var key: PartitionKey
        var number: Int
        var length: Int64
        var rows: Int64
        var crc32c: UInt32
    }

    /// Encoded bytes of a file that may wait in memory.
    private static var encodedBytesMax: Int { 64 * 1024 }
    /// How many rows may pass between two looks at the memory that they take.
    private static var rowsBetweenChecks: Int { 64 }

    private let chain: ChainID
    private let attempt: AttemptID
    private let store: Store
    private let settings: ExportSettings
    private let encoders: EncoderFactory
    private let memory: ExportMemory
    /// What `memory` knows of.
    private var waitingByteCount = 0
    private var rowsSinceCheck = 0
    private var open: [OpenFile] = []
    private var last: OpenFile?
    private var closed: [ClosedFile] = []
    /// Never reused within an attempt, so that a commit's files can't meet those of the one before.
    private var nextNumber = 0
    private var uses: UInt64 = 0
    /// True where `flush` should be called before more rows are appended.
    private(set) var wantsFlush = false

    init(chain: ChainID, attempt: AttemptID, store: Store, settings: ExportSettings, memory: ExportMemory) {
        self.chain = chain
        self.attempt = attempt
        self.store = store
        self.settings = settings
        self.memory = memory
        encoders = EncoderFactory(settings.format, chain: chain, attempt: attempt, layout: settings.layout)
        memory.stageOpened()
    }

    deinit { memory.stageClosed(holding: waitingByteCount) }

    var fileCount: Int { open.count + closed.count }

    /// About what the files will hold, were they closed now.
    var byteCount: Int64 {
        closed.reduce(0) { $0 + $1.length } + open.reduce(0) { $0 + $1.encoder.byteCount }
    }

    func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp) {
        let file = file(for: settings.layout.key(time))
        file.encoder.append(row, offset: offset, timestamp: timestamp)
        if file.encoder.output.count >= Self.encodedBytesMax { wantsFlush = true }
        rowsSinceCheck += 1
        if rowsSinceCheck >= Self.rowsBetweenChecks { checkMemory() }
    }

    private func file(for key: PartitionKey) -> OpenFile {
        uses += 1
        if let last, last.key == key {
            last.lastUse = uses
            return last
        }
        if let found = open.first(where: { $0.key == key }) {
            found.lastUse = uses
            last = found
            return found
        }
        let made = OpenFile(key: key, number: nextNumber, encoder: encoders.encoder(number: nextNumber))
        made.lastUse = uses
        nextNumber += 1
        open.append(made)
        last = made
        if open.count > settings.openFilesMax { wantsFlush = true }
        return made
    }

    // MARK: - Memory

    /// Looks at what rows take; where it is too much, the files that hold the most encode what they have.
    func checkMemory() {
        rowsSinceCheck = 0
        var excess = countMemory()
        guard excess > 0 else { return }
        for file in open.sorted(by: { $0.encoder.waitingByteCount > $1.encoder.waitingByteCount }) where excess > 0 {
            excess -= file.encoder.waitingByteCount
            file.encoder.shrink()
        }
        wantsFlush = true
        _ = countMemory()
    }

    private func countMemory() -> Int {
        let now = open.reduce(0) { $0 + $1.encoder.waitingByteCount }
        defer { waitingByteCount = now }
        return memory.changed(from: waitingByteCount, to: now)
    }

    // MARK: - Writing

    /// Writes what waits and closes files beyond the limit.
    func flush() async throws(ExportError) {
        wantsFlush = false
        for file in open where file.encoder.output.count >= Self.encodedBytesMax { try await write(file) }
        while open.count > settings.openFilesMax {
            let oldest = open.indices.min { open[$0].lastUse < open[$1].lastUse } ?? 0
            try await close(remove(at: oldest))
        }
    }

    private func remove(at place: Int) -> OpenFile {
        last = nil
        return open.remove(at: place)
    }

    /// Closes and syncs everything: the files as the commit of `from..<to` names them. The stage is empty then.
    func close(from: Offset, to: Offset) async throws(ExportError) -> [CommitRecord.File] {
        while !open.isEmpty { try await close(remove(at: open.count - 1)) }
        _ = countMemory()
        let staged = closed.sorted { $0.number < $1.number }.enumerated().map { place, file in
            let name = TableLayout.fileName(
                chain, from: from, to: to, number: place, fileExtension: settings.format.fileExtension)
            let folder = settings.layout.folder(file.key)
            let entry = CommitRecord.File(
                stagedName: stagedName(file.number), finalPath: folder.isEmpty ? name : "\(folder)/\(name)",
                length: file.length, rows: file.rows, crc32c: file.crc32c)
            return (file: file.file, entry: entry)
        }
        let files = staged.isEmpty ? [] : try await store.sealStaging(staged, of: attempt, of: chain)
        closed = []
        wantsFlush = false
        return files
    }

    /// Forgets everything; the files stay for whoever cleans the staging folder.
    func discard() {
        for file in open { file.file?.discard() }
        open = []
        last = nil
        closed = []
        wantsFlush = false
        _ = countMemory()
    }

    private func stagedName(_ number: Int) -> String { "\(number).\(settings.format.fileExtension)" }

    private func write(_ file: OpenFile) async throws(ExportError) {
        let output = file.encoder.output
        guard output.count > 0 else { return }
        file.encoder.output.removeAll()
        if file.file == nil { file.file = try await store.stage(stagedName(file.number), for: attempt, of: chain) }
        for piece in output.pieces {
            file.length += Int64(piece.count)
            file.crc32c = piece.withUnsafeBytes { CRC32C.checksum($0, continuing: file.crc32c) }
            try await file.file?.write(piece)
        }
    }

    private func close(_ file: OpenFile) async throws(ExportError) {
        file.encoder.finish()
        try await write(file)
        // An encoder that was given a row has bytes to write.
        guard let staged = file.file else { return }
        try await staged.finish()
        closed.append(
            ClosedFile(
                file: staged, key: file.key, number: file.number, length: file.length, rows: file.encoder.rowCount,
                crc32c: file.crc32c))
    }
}
