import Base
public import Exports
import Synchronization

/// Where the files of an attempt wait for their commit: one nameless spool file for all of them, for their keys are known only then, and an open
/// file for each hour of a backlog would be many.
final class SpoolArea: Sendable {
    private let spool: SpoolFile
    private let end = Mutex<Int64>(0)

    init(_ spool: SpoolFile) { self.spool = spool }

    /// Appends the bytes; returns where they stand.
    func append(_ bytes: [UInt8]) throws(ExportError) -> Int64 {
        let position = end.withLock { end in
            defer { end += Int64(bytes.count) }
            return end
        }
        do throws(FileError) { try spool.file.write(bytes, at: position) } catch {
            throw ExportError(.store, "rows can't be spooled: \(error)", cause: error)
        }
        return position
    }

    func read(from position: Int64, count: Int) throws(ExportError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        do throws(FileError) {
            guard try spool.file.read(into: &bytes, at: position) == count else {
                throw FileError(.inputOutput, .read, "spool", detail: "it ended early")
            }
        } catch { throw ExportError(.store, "spooled rows can't be read: \(error)", cause: error) }
        return bytes
    }
}

/// A file's bytes in an area.
struct SpooledBytes: Sendable {
    let area: SpoolArea
    private(set) var extents: [(position: Int64, count: Int64)] = []
    private(set) var length: Int64 = 0

    init(_ area: SpoolArea) { self.area = area }

    mutating func append(_ bytes: [UInt8]) throws(ExportError) {
        let position = try area.append(bytes)
        length += Int64(bytes.count)
        if let last = extents.last, last.position + last.count == position {
            extents[extents.count - 1].count += Int64(bytes.count)
        } else {
            extents.append((position, Int64(bytes.count)))
        }
    }

    func read(from start: Int64, count: Int) throws(ExportError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var skipped: Int64 = 0
        for extent in extents where bytes.count < count {
            let from = max(0, start + Int64(bytes.count) - skipped)
            if from < extent.count {
                let wanted = min(extent.count - from, Int64(count - bytes.count))
                bytes += try area.read(from: extent.position + from, count: Int(wanted))
            }
            skipped += extent.count
        }
        return bytes
    }
}

/// A file on its way to S3: spooled here, uploaded when its commit is made.
public final class S3StagedFile: StagedFile {
    private(set) var spooled: SpooledBytes
    private let name: String

    init(_ area: SpoolArea, name: String) {
        spooled = SpooledBytes(area)
        self.name = name
    }

    public func write(_ bytes: [UInt8]) async throws(ExportError) { try spooled.append(bytes) }

    /// Nothing is sent before the commit tells the file's key.
    public func finish() async throws(ExportError) {}

    public func discard() {}
}

extension File {
    func write(_ bytes: [UInt8], at position: Int64) throws(FileError) {
        let result: Result<Void, FileError> = bytes.withUnsafeBytes { buffer in
            do throws(FileError) { return .success(try write(buffer, at: position)) } catch { return .failure(error) }
        }
        try result.get()
    }

    func read(into bytes: inout [UInt8], at position: Int64) throws(FileError) -> Int {
        let result: Result<Int, FileError> = bytes.withUnsafeMutableBytes { buffer in
            do throws(FileError) { return .success(try read(into: buffer, at: position)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
