import Base
import Events
import RemoteStores

/// One partition's rows to an HTTP endpoint, at least once: a request that isn't answered is made again, with the same rows.
///
/// Each row ends with `kafka_topic`, `kafka_partition` and `kafka_offset`, by which a receiver knows what it has already.
final class WebhookTarget: DeliveryTarget {
    private let settings: WebhookSinkSettings
    private let transport: any HTTPTransport
    private let partition: TopicPartition
    private let tail: [UInt8]

    init(settings: WebhookSinkSettings, transport: any HTTPTransport, partition: TopicPartition) {
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
        batch.append(offset: offset, timestamp: timestamp) { bytes in
            KafkaMembers.append(row, tail: tail, offset: offset, to: &bytes)
        }
    }

    func deliver(_ batch: inout DeliveryBatch, position: Offset, leaderEpoch: LeaderEpoch) async throws -> Int {
        let type = settings.format == .json ? "application/json" : "application/x-ndjson"
        var headers = settings.headers
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(HTTPHeader("content-type", type))
        }
        let call = HTTPCall(
            settings.method.rawValue, settings.url, headers: headers, body: .bytes(body(batch)),
            answerBytesMax: .mib(1))
        let answer: HTTPAnswer
        do throws(HTTPFailure) { answer = try await transport.send(call) } catch {
            throw DeliveryFailure(.passing, error.reason)
        }
        switch answer.status {
        case 200..<300: return 0
        case 408, 425, 429, 500...:
            throw DeliveryFailure(.passing, "HTTP status \(answer.status)", pause: answer.retryAfter)
        default:
            if settings.onError == .drop { return batch.rows.count }
            let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
            throw PipelineError(
                "\(settings.place) refused rows of \(partition) below offset \(position) with HTTP status \(answer.status): '\(text)'. "
                    + "Nothing is skipped silently: mend the receiver or the rows, or say 'on_error: drop'")
        }
    }

    private func body(_ batch: DeliveryBatch) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(batch.bytes.count + batch.rows.count + 2)
        if settings.format == .json { body.append(UInt8(ascii: "[")) }
        for (place, row) in batch.rows.enumerated() {
            if settings.format == .json, place > 0 { body.append(UInt8(ascii: ",")) }
            body += batch.bytes(of: row)
            if settings.format == .ndjson { body.append(UInt8(ascii: "\n")) }
        }
        if settings.format == .json { body.append(UInt8(ascii: "]")) }
        return body
    }

    var resetAdvice: String { "reset the group's offset to go on" }
}

extension HTTPAnswer {
    /// `Retry-After` in seconds; a date is not looked at.
    var retryAfter: Duration? { header("retry-after").flatMap { UInt32($0) }.map { .seconds(Int64($0)) } }
}

/// A row's JSON with where its record stood.
enum KafkaMembers {
    /// What stands between a row's own members and the offset.
    static func text(_ partition: TopicPartition) -> [UInt8] {
        var bytes: [UInt8] = Array("\"kafka_topic\":".utf8)
        JSONWriter.append(partition.topic, to: &bytes)
        bytes += ",\"kafka_partition\":\(partition.partition),\"kafka_offset\":".utf8
        return bytes
    }

    static func append(_ row: borrowing Row, tail: [UInt8], offset: Offset, to bytes: inout [UInt8]) {
        JSONWriter.append(row, to: &bytes)
        bytes.removeLast()
        if row.count > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += tail
        JSONWriter.append(offset.rawValue, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }
}
