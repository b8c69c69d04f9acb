import Base
import Events

/// The files that an attempt writes between two commits: one per hour (or whatever the table is partitioned by), a few of them open.
///
/// Memory is bounded by the number of open files (about 350 KiB each). Where more hours are fed at once, the least recently used file is
/// closed, and a row that comes for its hour later opens another part.
final class Stage<Store: ExportStore> {
    private final class OpenFile {
        let key: PartitionKey
        let number: Int
        let encoder: JSONLinesEncoder
        var file: Store.File?
        var length: Int64 = 0
        var crc32c: UInt32 = 0
        var lastUse: UInt64 = 0

        init(key: PartitionKey, number: Int, encoder: JSONLinesEncoder) {
            self.key = key
            self.number = number
            self.encoder = encoder
        }
    }

    private struct ClosedFile {
        var key: PartitionKey
        var number: Int
        var length: Int64
        var rows: Int64
        var crc32c: UInt32
    }

    /// Compressed bytes of a file that may wait in memory.
    private static var encodedBytesMax: Int { 64 * 1024 }

    private let chain: ChainID
    private let attempt: AttemptID
    private let store: Store
    private let settings: ExportSettings
    private let origin: RowOrigin
    private var open: [OpenFile] = []
    private var closed: [ClosedFile] = []
    /// Never reused within an attempt, so that a commit's files can't meet those of the one before.
    private var nextNumber = 0
    private var uses: UInt64 = 0
    private(set) var byteCount: Int64 = 0
    /// True where `flush` should be called before more rows are appended.
    private(set) var wantsFlush = false

    init(chain: ChainID, attempt: AttemptID, store: Store, settings: ExportSettings) {
        self.chain = chain
        self.attempt = attempt
        self.store = store
        self.settings = settings
        origin = RowOrigin(chain, layout: settings.layout)
    }

    var fileCount: Int { open.count + closed.count }

    func append(_ event: Event, time: Timestamp?, offset: Offset, timestamp: Timestamp) {
        let file = file(for: settings.layout.key(time))
        let before = file.encoder.encoded.count
        file.encoder.append(event, offset: offset, timestamp: timestamp)
        byteCount += Int64(file.encoder.encoded.count - before)
        if file.encoder.encoded.count >= Self.encodedBytesMax { wantsFlush = true }
    }

    private func file(for key: PartitionKey) -> OpenFile {
        uses += 1
        if let found = open.first(where: { $0.key == key }) {
            found.lastUse = uses
            return found
        }
        let encoder = JSONLinesEncoder(origin: origin, level: settings.gzipLevel)
        let made = OpenFile(key: key, number: nextNumber, encoder: encoder)
        made.lastUse = uses
        nextNumber += 1
        open.append(made)
        if open.count > settings.openFilesMax { wantsFlush = true }
        return made
    }

    /// Writes what waits and closes files beyond the limit.
    func flush() async throws(ExportError) {
        wantsFlush = false
        for file in open where file.encoder.encoded.count >= Self.encodedBytesMax { try await write(file) }
        while open.count > settings.openFilesMax {
            let oldest = open.indices.min { open[$0].lastUse < open[$1].lastUse } ?? 0
            try await close(open.remove(at: oldest))
        }
    }

    /// Closes and syncs everything: the files as the commit of `from..<to` names them. The stage is empty then.
    func close(from: Offset, to: Offset) async throws(ExportError) -> [CommitRecord.File] {
        while let file = open.popLast() { try await close(file) }
        if !closed.isEmpty { try await store.sealStaging(of: attempt, of: chain) }
        let files = closed.sorted { $0.number < $1.number }.enumerated().map { place, file in
            let name = TableLayout.fileName(
                chain, from: from, to: to, number: place, fileExtension: JSONLinesEncoder.fileExtension)
            let folder = settings.layout.folder(file.key)
            return CommitRecord.File(
                stagedName: stagedName(file.number), finalPath: folder.isEmpty ? name : "\(folder)/\(name)",
                length: file.length, rows: file.rows, crc32c: file.crc32c)
        }
        closed = []
        byteCount = 0
        wantsFlush = false
        return files
    }

    /// Lets go of the open files; the folder is deleted by whoever asked.
    func discard() {
        for file in open { file.file?.discard() }
        open = []
        closed = []
        byteCount = 0
        wantsFlush = false
    }

    private func stagedName(_ number: Int) -> String { "\(number).\(JSONLinesEncoder.fileExtension)" }

    private func write(_ file: OpenFile) async throws(ExportError) {
        guard !file.encoder.encoded.isEmpty else { return }
        if file.file == nil { file.file = try await store.stage(stagedName(file.number), for: attempt, of: chain) }
        file.length += Int64(file.encoder.encoded.count)
        file.crc32c = file.encoder.encoded.withUnsafeBytes { CRC32C.checksum($0, continuing: file.crc32c) }
        try await file.file?.write(file.encoder.encoded)
        file.encoder.encoded.removeAll(keepingCapacity: true)
    }

    private func close(_ file: OpenFile) async throws(ExportError) {
        let before = file.encoder.encoded.count
        file.encoder.finish()
        byteCount += Int64(file.encoder.encoded.count - before)
        try await write(file)
        try await file.file?.finish()
        closed.append(
            ClosedFile(
                key: file.key, number: file.number, length: file.length, rows: file.encoder.rowCount,
                crc32c: file.crc32c))
    }
}
