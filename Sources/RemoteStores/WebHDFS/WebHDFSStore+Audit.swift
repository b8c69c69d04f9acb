public import Exports

extension WebHDFSStore: AuditedStore {
    private static let pieceByteCount = 4 << 20
    /// Folders deeper than this below a table are not ours.
    private static let depthMax = 8

    public func recordIndexes(of chain: ChainID) async throws(ExportError) -> [Int64] {
        let names = try await client.list(folder(chain)).filter { !$0.isFolder }.map(\.name)
        return try ChainPaths.indexes(of: names, in: client.name(folder(chain)))
    }

    public func chains() async throws(ExportError) -> [ChainID] {
        var chains: [ChainID] = []
        for pipeline in try await folders("/\(ChainPaths.top)") {
            for table in try await folders(pipeline) {
                for topic in try await folders(table) {
                    for partition in try await folders(topic) {
                        if let chain = try await chain(in: partition) { chains.append(chain) }
                    }
                }
            }
        }
        return chains
    }

    private func folders(_ path: String) async throws(ExportError) -> [String] {
        try await client.list(path).filter(\.isFolder).map { "\(path)/\($0.name)" }.sorted()
    }

    private func chain(in path: String) async throws(ExportError) -> ChainID? {
        let names = try await client.list(path).filter { !$0.isFolder && $0.name.hasSuffix(ChainPaths.recordSuffix) }
        guard let first = names.map(\.name).min(),
            let bytes = try await client.read("\(path)/\(first)", length: CommitRecord.bytesMax.bytes)
        else { return nil }
        let name = client.name("\(path)/\(first)")
        let chain = try CommitRecord(encoded: bytes, at: name).chain
        guard folder(chain) == path else {
            throw ExportError(.damaged, "\(name) belongs to \(chain); it was moved or copied")
        }
        return chain
    }

    public func publishedFiles(of table: String) async throws(ExportError) -> [String] {
        var files: [String] = []
        var waiting: [(path: String, depth: Int)] = [("", 0)]
        while let (path, depth) = waiting.popLast() {
            for entry in try await client.list("/\(table)\(path.isEmpty ? "" : "/" + path)") {
                let below = path.isEmpty ? entry.name : "\(path)/\(entry.name)"
                if !entry.isFolder {
                    files.append(below)
                } else if depth < Self.depthMax {
                    waiting.append((below, depth + 1))
                }
            }
        }
        return files.sorted()
    }

    public func publishedLength(_ path: String, of table: String) async throws(ExportError) -> Int64? {
        try await client.status(publishedPath(path, of: table))?.length
    }

    public func readPublished(
        _ path: String, of table: String, _ body: (UnsafeRawBufferPointer) throws(ExportError) -> Void
    ) async throws(ExportError) -> Bool {
        let path = publishedPath(path, of: table)
        guard let length = try await client.status(path)?.length else { return false }
        var position: Int64 = 0
        while position < length {
            let wanted = min(Self.pieceByteCount, Int(length - position))
            guard let piece = try await client.read(path, from: position, length: wanted), !piece.isEmpty else {
                return false
            }
            let result: Result<Void, ExportError> = piece.withUnsafeBytes { bytes in
                do throws(ExportError) { return .success(try body(bytes)) } catch { return .failure(error) }
            }
            try result.get()
            position += Int64(piece.count)
        }
        return true
    }

    public func isStaged(_ file: CommitRecord.File, of record: CommitRecord) async throws(ExportError) -> Bool {
        try await client.status("\(stagingFolder(record.attempt, of: record.chain))/\(file.stagedName)") != nil
    }
}
