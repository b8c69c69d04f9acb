import Base
import Events
import Exports
import SystemPackage

/// Appends rows as JSON lines to one file that all partitions of the pipeline share.
///
/// At least once: a crash between the write and the group's commit repeats lines. The file is synced before the group commits; a torn last line
/// of a crash is ended with a newline at the next start, so that it can't swallow the next row.
final class LineFile {
    private let settings: FileSinkSettings
    private let files: any FileSystem
    private var file: (any File)?
    private var size: Int64 = 0
    private var waiting: [UInt8] = []

    static let waitingBytesMax = 64 * 1024

    init(settings: FileSinkSettings, fileSystem: any FileSystem) {
        self.settings = settings
        files = fileSystem
    }

    func append(_ row: borrowing Row) {
        JSONWriter.append(row, to: &waiting)
        waiting.append(0x0a)
    }

    var wantsWrite: Bool { waiting.count >= Self.waitingBytesMax }

    func write() throws(FileError) {
        guard !waiting.isEmpty else { return }
        let file = try opened()
        let bytes = waiting
        let result: Result<Void, FileError> = bytes.withUnsafeBytes { buffer in
            do throws(FileError) { return .success(try file.write(buffer, at: size)) } catch { return .failure(error) }
        }
        try result.get()
        size += Int64(bytes.count)
        waiting.removeAll(keepingCapacity: true)
    }

    func sync() throws(FileError) {
        try write()
        try file?.sync()
        if size >= settings.rotateBytes.bytes { try rotate() }
    }

    private func opened() throws(FileError) -> any File {
        if let file { return file }
        let folder = settings.path.removingLastComponent()
        try files.createDirectory(folder)
        let isNew = try !files.exists(settings.path)
        let file = try files.open(settings.path, .create)
        if isNew { try files.syncDirectory(folder) }
        size = try file.status().size
        self.file = file
        try endTornLine(of: file)
        return file
    }

    private func endTornLine(of file: any File) throws(FileError) {
        guard size > 0 else { return }
        let newline: Result<Bool, FileError> = withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
            do throws(FileError) {
                _ = try file.read(into: byte, at: size - 1)
                return .success(byte[0] == 0x0a)
            } catch { return .failure(error) }
        }
        guard try !newline.get() else { return }
        let result: Result<Void, FileError> = withUnsafeBytes(of: UInt8(0x0a)) { byte in
            do throws(FileError) { return .success(try file.write(byte, at: size)) } catch { return .failure(error) }
        }
        try result.get()
        size += 1
    }

    private func rotate() throws(FileError) {
        file?.close()
        file = nil
        size = 0
        for number in stride(from: settings.keep, to: 0, by: -1) {
            let source = number == 1 ? settings.path : FilePath("\(settings.path).\(number - 1)")
            if try files.exists(source) { try files.rename(source, to: FilePath("\(settings.path).\(number)")) }
        }
        try files.syncDirectory(settings.path.removingLastComponent())
    }
}

/// One partition's rows on their way into the shared file.
final class FileSink: PartitionSink {
    static let syncInterval = Duration.seconds(1)

    private let file: LineFile
    private let time: any TimeSource
    private var appended: (offset: Offset, leaderEpoch: LeaderEpoch)?
    private var dirtySince: Instant?
    private(set) var committed: (offset: Offset, leaderEpoch: LeaderEpoch)?

    init(file: LineFile, time: any TimeSource) {
        self.file = file
        self.time = time
    }

    var position: Offset { appended?.offset ?? .zero }
    var leaderEpoch: LeaderEpoch { appended?.leaderEpoch ?? .none }
    var wantsFlush: Bool { file.wantsWrite }

    func start(committed: Offset?) async throws -> Offset? {
        appended = committed.map { ($0, .none) }
        return committed
    }

    func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp) { file.append(row) }

    func flush() async throws { try file.write() }

    func advance(to offset: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally) async throws {
        appended = (offset, leaderEpoch)
        if dirtySince == nil { dirtySince = time.now }
        if wantsFlush { try file.write() }
        try await tick()
    }

    func tick() async throws {
        guard let since = dirtySince, time.now - since >= Self.syncInterval else { return }
        try await stop()
    }

    func stop() async throws {
        try file.sync()
        dirtySince = nil
        committed = appended
    }

    func abandon() async {}

    func offsetOutOfRange() async throws {
        throw PipelineError(
            "the next offset is gone from the log: records were deleted before they were read. Nothing is skipped silently; reset "
                + "the group's offset to go on")
    }
}
