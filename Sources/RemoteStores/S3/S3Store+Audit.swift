import Base
public import Exports

extension S3Store: AuditedStore {
    private static let pieceByteCount = 4 << 20

    public func recordIndexes(of chain: ChainID) async throws(ExportError) -> [Int64] {
        let listing = try await client.listAll(folder(chain) + "/", delimiter: true)
        return try ChainPaths.indexes(of: names(listing, below: folder(chain)), in: client.name(folder(chain)))
    }

    public func chains() async throws(ExportError) -> [ChainID] {
        var chains: [ChainID] = []
        for pipeline in try await folders(key(ChainPaths.top) + "/") {
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

    private func folders(_ prefix: String) async throws(ExportError) -> [String] {
        try await client.listAll(prefix, delimiter: true).folders
    }

    private func chain(in prefix: String) async throws(ExportError) -> ChainID? {
        let page = try await client.list(prefix, delimiter: true, keysMax: 100)
        guard let first = page.objects.first(where: { $0.key.hasSuffix(ChainPaths.recordSuffix) })?.key,
            let bytes = try await client.read(first, length: CommitRecord.bytesMax.bytes)
        else { return nil }
        let chain = try CommitRecord(encoded: bytes, at: client.name(first)).chain
        guard folder(chain) + "/" == prefix else {
            throw ExportError(.damaged, "\(client.name(first)) belongs to \(chain); it was moved or copied")
        }
        return chain
    }

    public func publishedFiles(of table: String) async throws(ExportError) -> [String] {
        let folder = key(table)
        // Consoles make empty objects that end with a slash, to show a folder.
        return names(try await client.listAll(folder + "/"), below: folder).filter { !$0.hasSuffix("/") && !$0.isEmpty }
    }

    public func publishedLength(_ path: String, of table: String) async throws(ExportError) -> Int64? {
        try await client.status(publishedKey(path, of: table))?.length
    }

    public func readPublished(
        _ path: String, of table: String, _ body: (UnsafeRawBufferPointer) throws(ExportError) -> Void
    ) async throws(ExportError) -> Bool {
        let key = publishedKey(path, of: table)
        guard let length = try await client.status(key)?.length else { return false }
        var position: Int64 = 0
        while position < length {
            let wanted = min(Self.pieceByteCount, Int(length - position))
            guard let piece = try await client.read(key, from: position, length: wanted), !piece.isEmpty else {
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
        guard let upload = file.upload else { return false }
        return try await client.isUnderWay(upload.id, of: publishedKey(file.finalPath, of: record.chain.table))
    }

    // MARK: - Markers

    public func marker(in folder: String, of table: String) async throws(ExportError) -> HourMarker? {
        let key = markerKey(folder, table)
        guard let bytes = try await client.read(key, length: HourMarker.bytesMax.bytes) else { return nil }
        return try HourMarker(encoded: bytes, at: client.name(key))
    }

    public func writeMarker(_ marker: HourMarker) async throws(ExportError) -> Bool {
        let folder = publishedKey(marker.folder, of: marker.table)
        guard try await !client.list(folder + "/", keysMax: 1).objects.isEmpty else { return false }
        try await client.put(markerKey(marker.folder, marker.table), marker.encoded())
        return true
    }

    private func markerKey(_ folder: String, _ table: String) -> String {
        publishedKey("\(folder)/\(HourMarker.fileName)", of: table)
    }
}
