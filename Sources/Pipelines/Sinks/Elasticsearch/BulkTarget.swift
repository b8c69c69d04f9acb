import Base
import Events
import RemoteStores

/// One partition's rows as documents, under ids that their records give them (`topic-partition-offset`): a row that is sent again is the same document.
///
/// Each document of a request is answered on its own: those that the cluster took are taken out of the batch, those that it can't take now are sent again,
/// those that it refuses follow `on_error`.
final class BulkTarget: DeliveryTarget {
    private let settings: BulkSinkSettings
    private let transport: any HTTPTransport
    private let partition: TopicPartition
    private let tail: [UInt8]
    /// Of the batch that is being delivered, in answers so far.
    private var refused = 0

    /// Of a batch's answer: a document's takes some hundred bytes where it was refused.
    private static let answerBytesMax = ByteCount.mib(64)
    private static let filter = "errors,error,status,items.*.status,items.*.error.type,items.*.error.reason"

    init(settings: BulkSinkSettings, transport: any HTTPTransport, partition: TopicPartition) {
        self.settings = settings
        self.transport = transport
        self.partition = partition
        tail = KafkaMembers.text(partition)
    }

    var keepsPosition: Bool { false }

    func takeOver(committed: Offset?) async throws -> Offset? { committed }

    func encode(
        _ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp, into batch: inout DeliveryBatch
    ) {
        let moment = time ?? timestamp
        var hasTime = false
        for place in 0..<row.count where row.name(at: place) == "@timestamp" { hasTime = true }
        batch.append(offset: offset, timestamp: moment) { bytes in
            bytes += "{\"\(settings.operation.rawValue)\":{\"_index\":".utf8
            JSONWriter.append(index(moment), to: &bytes)
            bytes += ",\"_id\":".utf8
            JSONWriter.append("\(partition.topic)-\(partition.partition)-\(offset.rawValue)", to: &bytes)
            bytes += "}}\n".utf8
            KafkaMembers.append(row, tail: tail, offset: offset, to: &bytes)
            if !hasTime {
                bytes.removeLast()
                bytes += ",\"@timestamp\":".utf8
                JSONWriter.append(moment, to: &bytes)
                bytes.append(UInt8(ascii: "}"))
            }
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    private func index(_ moment: Timestamp) -> String {
        guard settings.index.hasSuffix(BulkSinkSettings.day) else { return settings.index }
        let day = CivilTime(moment).dateText.split(separator: "-").joined(separator: ".")
        return settings.index.dropLast(BulkSinkSettings.day.utf8.count) + day
    }

    // MARK: - Delivering

    func deliver(_ batch: inout DeliveryBatch, position: Offset, leaderEpoch: LeaderEpoch) async throws -> Int {
        let call = HTTPCall(
            "POST", "\(settings.url)/_bulk?filter_path=\(Self.filter)",
            headers: settings.headers + [HTTPHeader("content-type", "application/x-ndjson")],
            body: .bytes(batch.bytes), answerBytesMax: Self.answerBytesMax)
        let answer: HTTPAnswer
        do throws(HTTPFailure) { answer = try await transport.send(call) } catch {
            throw DeliveryFailure(.passing, error.reason)
        }
        let text = String(decoding: answer.body.prefix(300), as: UTF8.self)
        switch answer.status {
        case 200: break
        case 408, 429, 500...: throw DeliveryFailure(.passing, "HTTP status \(answer.status)", pause: answer.retryAfter)
        // A single request that is too large is refused as a whole, whatever is in it.
        case 413: throw refusal("a batch of \(batch.bytes.count) bytes; lower batch.size", position, text)
        default: throw refusal("the request with HTTP status \(answer.status)", position, text)
        }
        guard let items = Self.items(answer.body, count: batch.rows.count) else {
            throw DeliveryFailure(.passing, "the answer is none of _bulk: '\(text)'")
        }
        return try take(items, &batch)
    }

    private struct Item {
        var status: Int64
        var reason: String
    }

    private func take(_ items: [Item], _ batch: inout DeliveryBatch) throws -> Int {
        var waiting: [Int] = []
        var trouble = ""
        for (place, item) in items.enumerated() {
            switch item.status {
            case 200..<300: break
            case 409 where settings.operation == .create: break
            case 429, 500...:
                waiting.append(place)
                trouble = "\(item.reason) (status \(item.status))"
            default:
                guard settings.onError == .drop else {
                    let offset = batch.rows[place].offset
                    throw refusal("the record at offset \(offset) with status \(item.status)", offset + 1, item.reason)
                }
                refused += 1
            }
        }
        guard waiting.isEmpty else {
            let count = batch.rows.count
            batch.keep(waiting)
            throw DeliveryFailure(.passing, "\(waiting.count) of \(count) documents were not taken: \(trouble)")
        }
        defer { refused = 0 }
        return refused
    }

    /// One for each document in the request's order; none where all went well. Nil for what is no such answer.
    private static func items(_ body: [UInt8], count: Int) -> [Item]? {
        guard case .object(let fields)? = try? JSON.parse(body), case .bool(let hasErrors) = Event(fields)["errors"]
        else {
            return nil
        }
        guard hasErrors else { return [] }
        guard case .list(let elements) = Event(fields)["items"], elements.count == count else { return nil }
        var items: [Item] = []
        for element in elements {
            guard case .object(let operations) = element, case .object(let result)? = operations.first?.value,
                case .int(let status) = Event(result)["status"]
            else { return nil }
            var reason = ""
            if case .object(let error) = Event(result)["error"] {
                reason = ["type", "reason"].compactMap { name in
                    if case .string(let text) = Event(error)[name] { String(text.prefix(300)) } else { nil }
                }.joined(separator: ": ")
            }
            items.append(Item(status: status, reason: reason))
        }
        return items
    }

    private func refusal(_ what: String, _ position: Offset, _ text: String) -> PipelineError {
        PipelineError(
            "\(settings.place) refused \(what), of \(partition) below offset \(position): '\(text)'. "
                + "Nothing is skipped silently: mend the mapping or the steps, or say 'on_error: drop'")
    }

    var resetAdvice: String { "reset the group's offset to go on" }
}
