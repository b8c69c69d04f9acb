import Base
import KafkaClient
import NIOCore
import Records

// What the broker refuses for good.
extension IntentLog {
    /// Of our own batches none decompresses to more.
    private static let decompressedMax = ByteCount.mib(256)

    public func divide(_ id: BatchID, because refusal: BatchRefusal) throws -> BatchDivision {
        try checkHealth()
        guard let index = state.index(of: id), state.intents[index].acknowledged == nil else {
            return .impossible(reason: "batch \(id) was let go")
        }
        let intent = state.intents[index]
        do {
            let batch = try RecordBatch(storedBytes(of: intent))
            if batch.recordCount == 1 { return try setAside(intent.batch, batch, refusal) }
            return try halve(intent.batch, batch, at: index)
        } catch let error as Unreadable {
            return .impossible(reason: error.description)
        } catch let error as RecordError {
            return .impossible(reason: error.description)
        }
    }

    private var deadLetters: DeadLetterFile {
        DeadLetterFile(folder: folder, fileSystem: fileSystem, bytesMax: settings.deadLettersMax)
    }

    /// A crash may have come after a letter was written and before its batch was given up: at a start the last one is compared.
    func finishSettingAside() throws(FileError) {
        guard let id = try deadLetters.lastBatch(), let index = state.index(of: id),
            state.intents[index].acknowledged == nil
        else { return }
        try record(givingUp: id)
    }

    private func halve(_ sealed: SealedBatch, _ batch: RecordBatch, at index: Int) throws -> BatchDivision {
        let next = index + 1 < state.intents.count ? state.intents[index + 1].batch.id.rawValue : state.nextBatch
        let gap = next - sealed.id.rawValue
        guard gap > 3 else {
            return .impossible(
                reason: "batch \(sealed.id) was sealed by an older version, which left no number for its halves")
        }
        let halves = try batch.divided(afterRecord: batch.recordCount / 2, decompressedMax: Self.decompressedMax)
        var sequence = sealed.baseSequence
        var replacement = BatchReplacement(original: sealed.id, parts: [])
        // Neither keeps the number: an answer that comes twice must not be taken for that of a half.
        let ids = [1, gap / 2].map { BatchID(sealed.id.rawValue + $0) }
        for (half, id) in zip([halves.first, halves.second], ids) {
            var bytes = half.bytes
            RecordBatch.patch(identity: sealed.identity, baseSequence: sequence, in: &bytes)
            let part = Seal.Batch(
                partition: sealed.partition, identity: sealed.identity, baseSequence: sequence,
                recordCount: Int32(half.recordCount), bytes: bytes)
            replacement.parts.append((id, part))
            sequence = Sequence32.advance(sequence, by: Int32(half.recordCount))
        }
        let bytes = IntentRecord.headerBytes + 2 + replacement.byteCountMax
        guard try makeSpace(bytes) else { return .impossible(reason: "the intent log is full") }
        try replace([replacement], bytesMax: bytes)
        try syncRing()
        unsent.drop(sealed.id)
        for (id, part) in replacement.parts { unsent.keep(part.bytes, of: id) }
        return .parts(replacement.parts.map { $0.batch.sealed(as: $0.id) })
    }

    private func setAside(
        _ sealed: SealedBatch, _ batch: RecordBatch, _ refusal: BatchRefusal
    ) throws -> BatchDivision {
        var records = try batch.records(decompressedMax: Self.decompressedMax)
        guard let record = try records.next() else {
            return .impossible(reason: "batch \(sealed.id) holds no record")
        }
        let letter = try DeadLetter(batch: sealed, record: record, refusal: refusal)
        let file = deadLetters
        do throws(FileError) { try file.append(letter) } catch {
            // What passes when there is space again. After anything else nobody knows what the file holds, and the process starts again from it.
            let passes: [FileError.Code] = [.tooLarge, .noSpace, .permissionDenied, .readOnly, .tooManyOpenFiles]
            guard passes.contains(error.code), error.operation != .sync else { throw error }
            return .impossible(reason: "it can't be put into \(file.path): \(error)")
        }
        try self.record(givingUp: sealed.id)
        return .setAside
    }
}
