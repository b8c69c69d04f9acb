import Base
public import Exports

extension S3Store {
    /// What an object is called that names the keys of uploads, one a line.
    static let intentSuffix = ".uploads"
    private static let intentBytesMax = 16 << 20
    private static let publishTriesMax = 4

    // MARK: - Staging

    /// Uploads the files' bytes under the keys that they will have, without completing anything.
    public func sealStaging(
        _ files: [(file: S3StagedFile, entry: CommitRecord.File)], of attempt: AttemptID, of chain: ChainID
    ) async throws(ExportError) -> [CommitRecord.File] {
        guard let first = files.first?.entry else { return [] }
        let intent = intentKey(first, attempt, chain)
        let keys = files.map { publishedKey($0.entry.finalPath, of: chain.table) }
        state.withLock { $0.begun[attempt, default: Leftovers()].objects.append(intent) }
        try await client.put(intent, Array(keys.map { $0 + "\n" }.joined().utf8))
        let sources = files.map { (spooled: $0.file.spooled, entry: $0.entry) }
        let uploads = try await concurrently(sources.count) { place throws(ExportError) in
            try await self.upload(sources[place].spooled, sources[place].entry, keys[place], attempt)
        }
        state.withLock { $0.areas[attempt] = nil }
        return zip(files, uploads).map { file, upload in
            var entry = file.entry
            entry.upload = upload
            return entry
        }
    }

    private func upload(
        _ spooled: SpooledBytes, _ entry: CommitRecord.File, _ key: String, _ attempt: AttemptID
    ) async throws(ExportError) -> CommitRecord.Upload {
        let id: String
        do throws(ExportError) { id = try await client.beginUpload(key, mark: mark(entry, attempt)) } catch {
            state.withLock { $0.begun[attempt]?.isUncertain = true }
            throw error
        }
        state.withLock { $0.begun[attempt]?.uploads.append((key, id)) }
        let smallest = (spooled.length + Int64(S3Settings.partsMax) - 1) / Int64(S3Settings.partsMax)
        let partBytes = max(Int64(settings.partBytes.bytes), smallest)
        var upload = CommitRecord.Upload(id: id, etags: [])
        var position: Int64 = 0
        repeat {
            let part = try spooled.read(from: position, count: Int(min(partBytes, spooled.length - position)))
            upload.etags.append(try await client.uploadPart(upload.etags.count + 1, part, of: key, id))
            position += Int64(part.count)
        } while position < spooled.length
        return upload
    }

    /// The keys that an object in a staging folder names; none where it is gone.
    func intent(_ object: String) async throws(ExportError) -> [String] {
        let bytes = try await client.read(object, length: Self.intentBytesMax) ?? []
        return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
            .filter { $0.hasPrefix(settings.prefix) && !$0.isEmpty }
    }

    private func intentKey(_ first: CommitRecord.File, _ attempt: AttemptID, _ chain: ChainID) -> String {
        "\(stagingFolder(attempt, of: chain))/\(first.stagedName)\(Self.intentSuffix)"
    }

    private func mark(_ file: CommitRecord.File, _ attempt: AttemptID) -> String { "\(attempt)/\(file.stagedName)" }

    // MARK: - Publishing

    public func publish(_ record: CommitRecord, isFresh: Bool) async throws(ExportError) {
        guard let first = record.files.first else { return }
        _ = try await concurrently(record.files.count) { place throws(ExportError) in
            try await self.publish(record.files[place], of: record, isFresh: isFresh)
        }
        state.withLock { $0.begun[record.attempt] = nil }
        try await client.delete(intentKey(first, record.attempt, record.chain))
    }

    private func publish(
        _ file: CommitRecord.File, of record: CommitRecord, isFresh: Bool
    ) async throws(ExportError) {
        let key = publishedKey(file.finalPath, of: record.chain.table)
        for _ in 1...Self.publishTriesMax {
            if try await isPublished(file, of: record, at: key) { return }
            guard let upload = file.upload else {
                // The tree was copied here from a store of another kind.
                if !isFresh { return }
                break
            }
            if try await client.completeUpload(upload, of: key) { return }
            // It was completed before and its answer lost, or another owner was faster.
            if try await isPublished(file, of: record, at: key) { return }
            guard try await client.isUnderWay(upload.id, of: key) else {
                // Somebody may have removed the file since.
                if !isFresh { return }
                break
            }
        }
        throw ExportError(
            .damaged,
            "the upload of \(client.name(key)) was aborted before it was published; its rows are lost from the table. "
                + "Does a lifecycle rule abort incomplete uploads that are younger than the pipeline's longest stop?")
    }

    private func isPublished(
        _ file: CommitRecord.File, of record: CommitRecord, at key: String
    ) async throws(ExportError) -> Bool {
        guard let standing = try await client.status(key) else { return false }
        // A file that was copied here has no mark.
        guard standing.length == file.length, standing.mark == mark(file, record.attempt) || file.upload == nil else {
            throw ExportError(
                .conflict,
                "\(client.name(key)) stands already with \(standing.length) bytes (ours has \(file.length)) and is "
                    + "another file: does another pipeline write into this table?")
        }
        return true
    }

    // MARK: - A few at a time

    /// Runs the body for 0..<count, `concurrency` at a time. After a failure no more are begun.
    private func concurrently<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws(ExportError) -> Result
    ) async throws(ExportError) -> [Result] {
        var results: [Int: Result] = [:]
        var failure: ExportError?
        await withTaskGroup(of: (Int, Swift.Result<Result, ExportError>).self) { group in
            var next = 0
            while next < min(count, Self.concurrency) {
                let place = next
                group.addTask { (place, await Self.outcome(place, body)) }
                next += 1
            }
            for await (place, outcome) in group {
                switch outcome {
                case .success(let result): results[place] = result
                case .failure(let error): failure = failure ?? error
                }
                if failure == nil, next < count {
                    let place = next
                    group.addTask { (place, await Self.outcome(place, body)) }
                    next += 1
                }
            }
        }
        if let failure { throw failure }
        return (0..<count).compactMap { results[$0] }
    }

    private static func outcome<Result>(
        _ place: Int, _ body: (Int) async throws(ExportError) -> Result
    ) async -> Swift.Result<Result, ExportError> {
        do throws(ExportError) { return .success(try await body(place)) } catch { return .failure(error) }
    }
}
