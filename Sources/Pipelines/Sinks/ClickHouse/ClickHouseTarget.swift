import Base
import Events
import RemoteStores

/// One partition's rows into ClickHouse as `JSONEachRow`, at least once: an insert that isn't answered is made again.
///
/// Each row has `kafka_topic`, `kafka_partition`, `kafka_offset` and `kafka_timestamp`; a ReplacingMergeTree ordered by the first three holds each once.
final class ClickHouseTarget: DeliveryTarget {
    private let settings: ClickHouseSinkSettings
    private let transport: any HTTPTransport
    private let partition: TopicPartition
    private let tail: [UInt8]
    private let url: String

    init(settings: ClickHouseSinkSettings, transport: any HTTPTransport, partition: TopicPartition) {
        self.settings = settings
        self.transport = transport
        self.partition = partition
        tail = KafkaMembers.text(partition)
        url = settings.insertURL
    }

    var keepsPosition: Bool { false }

    func takeOver(committed: Offset?) async throws -> Offset? { committed }

    func encode(
        _ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp, into batch: inout DeliveryBatch
    ) {
        batch.append(offset: offset, timestamp: timestamp) { bytes in
            KafkaMembers.append(row, tail: tail, offset: offset, to: &bytes)
            if timestamp != .none {
                bytes.removeLast()
                bytes += ",\"kafka_timestamp\":".utf8
                JSONWriter.append(timestamp, to: &bytes)
                bytes.append(UInt8(ascii: "}"))
            }
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    func deliver(_ batch: inout DeliveryBatch, position: Offset, leaderEpoch: LeaderEpoch) async throws -> Int {
        let call = HTTPCall("POST", url, headers: settings.headers, body: .bytes(batch.bytes))
        let answer: HTTPAnswer
        do throws(HTTPFailure) { answer = try await transport.send(call) } catch {
            throw DeliveryFailure(.passing, error.reason)
        }
        if answer.status == 200 { return 0 }
        let text = String(decoding: answer.body.prefix(500), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        // Servers of before 2020 answer every exception with 500: its code tells.
        let isRefused = Self.code(text).map { Self.refusals.contains($0) } ?? (400..<500).contains(answer.status)
        guard isRefused, answer.status != 408, answer.status != 429 else {
            throw DeliveryFailure(.passing, "HTTP status \(answer.status): \(line)", pause: answer.retryAfter)
        }
        throw PipelineError(
            "\(settings.place) refused rows of \(partition) below offset \(position): '\(line)'. "
                + "Nothing is skipped silently: mend the table or the steps")
    }

    /// Of `Code: 60, e.displayText() = …` and `Code: 60. DB::Exception: …`.
    private static func code(_ text: String) -> Int? {
        guard text.hasPrefix("Code: ") else { return nil }
        return Int(text.dropFirst("Code: ".utf8.count).prefix { $0.isNumber })
    }

    /// Codes of what the rows, the table, the settings or the user are, not the hour (ClickHouse's `ErrorCodes.cpp`).
    private static let refusals: Set<Int> = [
        6, 16, 26, 27, 33, 36, 38, 41, 43, 44, 46, 47, 48, 50, 53, 60, 62, 69, 70, 72, 73, 81, 115, 117, 130, 131, 164,
        192,
        193, 194, 195, 291, 349, 469, 497, 516,
    ]

    var resetAdvice: String { "reset the group's offset to go on" }
}
