import Base
import SystemPackage

extension LocalStore: AuditedStore {
    private static let pieceByteCount = 1 << 20
    /// Folders deeper than this below a table are not ours.
    private static let depthMax = 8

    public func chains() throws(ExportError) -> [ChainID] {
        var chains: [ChainID] = []
        let top = root.appending(ChainPaths.top)
        for pipeline in try folders(in: top) {
            for table in try folders(in: pipeline) {
                for topic in try folders(in: table) {
                    for partition in try folders(in: topic) {
                        if let chain = try chain(in: partition) { chains.append(chain) }
                    }
                }
            }
        }
        return chains
    }

    private func folders(in folder: FilePath) throws(ExportError) -> [FilePath] {
        try attempting { () throws(FileError) in
            guard try fileSystem.exists(folder) else { return [] }
            return try fileSystem.list(folder).filter(\.isDirectory).map(\.name).sorted().map { folder.appending($0) }
        }
    }

    /// The chain whose records stand in a folder, as its first record names it.
    private func chain(in folder: FilePath) throws(ExportError) -> ChainID? {
        let names = try attempting { () throws(FileError) in
            try fileSystem.list(folder).filter { !$0.isDirectory && $0.name.hasSuffix(ChainPaths.recordSuffix) }.map(
                \.name
            ).sorted()
        }
        guard let first = names.first else { return nil }
        let path = folder.appending(first)
        let bytes = try attempting { () throws(FileError) in
            try fileSystem.contents(of: path, bytesMax: CommitRecord.bytesMax)
        }
        guard let bytes else { return nil }
        let chain = try CommitRecord(encoded: bytes, at: path.string).chain
        guard chainFolder(chain) == folder else {
            throw ExportError(.damaged, "\(path) belongs to \(chain); it was moved or copied")
        }
        return chain
    }

    public func publishedFiles(of table: String) throws(ExportError) -> [String] {
        var files: [String] = []
        try attempting { () throws(FileError) in try collect(tableFolder(table), prefix: "", depth: 0, into: &files) }
        return files.sorted()
    }

    private func collect(_ folder: FilePath, prefix: String, depth: Int, into files: inout [String]) throws(FileError) {
        guard depth < Self.depthMax, try fileSystem.exists(folder) else { return }
        for entry in try fileSystem.list(folder) {
            let path = prefix.isEmpty ? entry.name : "\(prefix)/\(entry.name)"
            if entry.isDirectory {
                try collect(folder.appending(entry.name), prefix: path, depth: depth + 1, into: &files)
            } else {
                files.append(path)
            }
        }
    }

    public func publishedLength(_ path: String, of table: String) throws(ExportError) -> Int64? {
        try attempting { () throws(FileError) in
            try fileSystem.status(FilePath("\(tableFolder(table))/\(path)"))?.size
        }
    }

    public func readPublished(
        _ path: String, of table: String, _ body: (UnsafeRawBufferPointer) throws(ExportError) -> Void
    ) throws(ExportError) -> Bool {
        let path = FilePath("\(tableFolder(table))/\(path)")
        let file: any File
        do throws(FileError) { file = try fileSystem.open(path, .read) } catch {
            if error.code == .noSuchFile { return false }
            throw ExportError(.store, "\(error)", cause: error)
        }
        defer { file.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceByteCount, alignment: 4096)
        defer { buffer.deallocate() }
        var position: Int64 = 0
        while true {
            let count = try attempting { () throws(FileError) in try file.read(into: buffer, at: position) }
            if count == 0 { return true }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            position += Int64(count)
        }
    }

    public func isStaged(_ file: CommitRecord.File, of record: CommitRecord) throws(ExportError) -> Bool {
        let path = stagingFolder(record.attempt, of: record.chain).appending(file.stagedName)
        return try attempting { () throws(FileError) in try fileSystem.exists(path) }
    }
}
