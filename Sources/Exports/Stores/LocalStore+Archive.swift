import Base
import SystemPackage

/// Old records of a chain in few files, so that its folder doesn't grow for ever. Nothing is forgotten: an audit reads them as before.
///
///     archive/00000000000000000000-00000000000000004200.records      records 0..<4200, each its two lines, one after the other
///
/// - An archive is whole and durable under its name before a record's own file is deleted. Records below the archives' end are read from them, whatever files
///   stand: a collection that was killed left some, and the next one deletes them.
/// - Archives may overlap where two collections ran at once: they say the same.
/// - An owner that slept through a collection may find its index free, for the record that fenced it was collected: `append` therefore looks at the archives
///   after it created a record. Whatever was deleted stands in one by then.
extension LocalStore {
    struct Archive: Sendable, Equatable {
        var from: Int64
        var to: Int64

        var name: String { "\(String(from).leftPadded(to: 20))-\(String(to).leftPadded(to: 20))\(Self.suffix)" }

        static let suffix = ".records"

        init(from: Int64, to: Int64) {
            self.from = from
            self.to = to
        }

        init?(name: String) {
            guard name.hasSuffix(Self.suffix) else { return nil }
            let parts = name.dropLast(Self.suffix.utf8.count).split(separator: "-")
            guard parts.count == 2, let from = Int64(parts[0]), let to = Int64(parts[1]), 0 <= from, from < to,
                Archive(from: from, to: to).name == name
            else { return nil }
            self.init(from: from, to: to)
        }
    }

    /// An archive is ended before it would be larger.
    static let archiveBytesMax = CommitRecord.bytesMax

    func archiveFolder(_ chain: ChainID) -> FilePath { chainFolder(chain).appending("archive") }

    func archives(of chain: ChainID) throws(ExportError) -> [Archive] {
        let folder = archiveFolder(chain)
        let names = try attempting { () throws(FileError) in
            try fileSystem.exists(folder) ? try fileSystem.list(folder).map(\.name) : []
        }
        return names.compactMap { Archive(name: $0) }.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
    }

    /// Records below this index stand in archives.
    func archivedEnd(_ archives: [Archive], of chain: ChainID) throws(ExportError) -> Int64 {
        var end: Int64 = 0
        for archive in archives {
            guard archive.from <= end else {
                throw ExportError(
                    .damaged,
                    "the archives in \(archiveFolder(chain)) miss records \(end)..<\(archive.from); restore them from a backup"
                )
            }
            end = max(end, archive.to)
        }
        return end
    }

    /// A record that was collected; nil where no archive holds its index.
    func archived(_ index: Int64, of chain: ChainID) throws(ExportError) -> CommitRecord? {
        guard let archive = try archives(of: chain).first(where: { $0.from <= index && index < $0.to }) else {
            return nil
        }
        let path = archiveFolder(chain).appending(archive.name)
        if let kept = lastArchive.withLock({ $0?.path == path.string ? $0?.records : nil }) {
            return kept[Int(index - archive.from)]
        }
        let records = try read(archive, at: path, of: chain)
        lastArchive.withLock { $0 = (path.string, records) }
        return records[Int(index - archive.from)]
    }

    private func read(_ archive: Archive, at path: FilePath, of chain: ChainID) throws(ExportError) -> [CommitRecord] {
        let bytes = try attempting { () throws(FileError) in
            try fileSystem.contents(of: path, bytesMax: Self.archiveBytesMax)
        }
        let lines = (bytes ?? []).split(separator: UInt8(ascii: "\n"))
        guard Int64(lines.count) == 2 * (archive.to - archive.from) else {
            throw ExportError(
                .damaged, "\(path) holds \(lines.count) lines, not those of its records; restore it from a backup")
        }
        var records: [CommitRecord] = []
        for (place, index) in (archive.from..<archive.to).enumerated() {
            let encoded = Array(lines[2 * place]) + [0x0a] + Array(lines[2 * place + 1]) + [0x0a]
            records.append(try CommitRecord(encoded: encoded, at: path.string, index: index, of: chain))
        }
        return records
    }

    /// Puts a chain's records but the last `keep` into archives, and deletes their files. May run beside the pipeline, and be killed at any moment.
    ///
    /// - Parameter keep: at least 2.
    /// - Returns: how many records' files were deleted.
    public func collect(_ chain: ChainID, keep: Int64) throws(ExportError) -> Int {
        precondition(keep >= 2, "a chain's end is what owners work on")
        guard let last = try recordIndexes(of: chain).last else { return 0 }
        var end = try archivedEnd(try archives(of: chain), of: chain)
        var previous = end > 0 ? try record(end - 1, of: chain) : nil
        while end < last + 1 - keep { end = try archive(from: end, below: last + 1 - keep, of: chain, &previous) }
        return try deleteFiles(below: end, of: chain)
    }

    private func archive(
        from: Int64, below limit: Int64, of chain: ChainID, _ previous: inout CommitRecord?
    ) throws(ExportError) -> Int64 {
        var bytes: [UInt8] = []
        var end = from
        while end < limit {
            guard let record = try record(end, of: chain) else {
                throw ExportError(.damaged, "record \(end) of \(chain) vanished while it was collected")
            }
            // What an audit would complain about is left as it is.
            if let problem = CommitChain.problem(previous, record) {
                throw ExportError(.damaged, "\(chain): \(problem); 'millrace export verify' tells more")
            }
            let encoded = record.encoded()
            if end > from, bytes.count + encoded.count > Self.archiveBytesMax.bytes { break }
            bytes += encoded
            previous = record
            end += 1
        }
        let folder = archiveFolder(chain)
        let temporary = folder.appending("\(KafkaUUID.random()).tmp")
        let path = folder.appending(Archive(from: from, to: end).name)
        try attempting { () throws(FileError) in
            try makeDurable(folder.string)
            try write(bytes, to: temporary)
            try fileSystem.rename(temporary, to: path)
            try fileSystem.syncDirectory(folder)
        }
        return end
    }

    private func deleteFiles(below end: Int64, of chain: ChainID) throws(ExportError) -> Int {
        let folder = chainFolder(chain)
        let names = try attempting { () throws(FileError) in try fileSystem.list(folder).map(\.name) }
        var count = 0
        for name in names.sorted() where name.hasSuffix(ChainPaths.recordSuffix) {
            guard let index = Int64(name.dropLast(ChainPaths.recordSuffix.utf8.count)), index < end else { continue }
            try attempting { () throws(FileError) in try unlinkIfThere(folder.appending(name)) }
            count += 1
        }
        if count > 0 { try attempting { () throws(FileError) in try fileSystem.syncDirectory(folder) } }
        return count
    }
}
