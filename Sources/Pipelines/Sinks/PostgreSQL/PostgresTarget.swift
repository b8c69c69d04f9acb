import Base
import Events
import Exports

/// One partition's rows into a table of PostgreSQL by COPY, in one transaction with how far they are: each row once.
///
/// A new owner writes its attempt into the partition's row of the positions' table, which waits for a transaction of the one before; whoever finds another
/// attempt there is fenced. A commit whose answer was lost is looked up by the next attempt.
final class PostgresTarget: DeliveryTarget {
    private let settings: PostgresSinkSettings
    private let client: PostgresClient
    private let chain: ChainID
    private let attempt: String
    private let encoder: CopyTextEncoder

    /// - Parameter chain: whose table is the sink's.
    init(settings: PostgresSinkSettings, client: PostgresClient, chain: ChainID, attempt: AttemptID = .random()) {
        self.settings = settings
        self.client = client
        self.chain = chain
        self.attempt = attempt.description
        encoder = CopyTextEncoder(settings.schema, chain: chain)
    }

    var keepsPosition: Bool { true }

    /// Nil where it never had the partition: what the group has committed is other sinks' or other topics'.
    func takeOver(committed: Offset?) async throws -> Offset? {
        let values = [
            chain.pipeline, settings.table, chain.topic, chain.topicID.description, String(chain.partition), attempt,
        ]
        let statement = PostgresSQL.takeOver(settings)
        let found = try await saying { try await client.transaction { try $0.execute(statement, values).rows } }
        return found.first?.first.flatMap { $0 }.flatMap { Int64($0) }.map { Offset($0) }
    }

    func encode(
        _ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp, into batch: inout DeliveryBatch
    ) {
        batch.append(offset: offset, timestamp: timestamp) {
            encoder.append(row, offset: offset, timestamp: timestamp, to: &$0)
        }
    }

    func deliver(_ batch: inout DeliveryBatch, position: Offset, leaderEpoch: LeaderEpoch) async throws -> Int {
        let values = [
            chain.pipeline, settings.table, chain.topicID.description, String(chain.partition), attempt,
            String(position.rawValue), String(leaderEpoch.rawValue),
        ]
        let (advance, copy) = (PostgresSQL.advance(settings), PostgresSQL.copy(settings))
        let (rows, name) = (batch, "\(chain.topic)-\(chain.partition)")
        try await saying {
            try await client.transaction { connection in
                guard try connection.execute(advance, values).affected == 1 else {
                    throw DeliveryFailure(.over, "\(name): another owner took the partition over; it goes on there")
                }
                guard !rows.isEmpty else { return }
                do throws(PostgresConnection.Failure) { try connection.copy(copy, rows.bytes) } catch {
                    guard !error.isPassing else { throw error }
                    throw DeliveryFailure(.refused, Self.refusal(error, rows, name))
                }
            }
        }
        return 0
    }

    /// `refused` is for a person: the pipeline stops.
    private func saying<Result>(_ body: () async throws -> Result) async throws -> Result {
        do { return try await body() } catch let failure as DeliveryFailure where failure.kind == .refused {
            throw PipelineError(
                "\(settings.place): \(failure). Nothing is skipped silently: mend the table or the steps")
        }
    }

    /// With the record's offset, where the server says which line it was.
    private static func refusal(
        _ failure: PostgresConnection.Failure, _ rows: DeliveryBatch, _ name: String
    ) -> String {
        guard let context = failure.context else { return failure.description }
        let words = context.split(whereSeparator: { " ,:".contains($0) })
        guard let place = words.firstIndex(of: "line"), place + 1 < words.count, let line = Int(words[place + 1]),
            rows.rows.indices.contains(line - 1)
        else { return "\(failure.description) (\(context))" }
        return
            "the record at offset \(rows.rows[line - 1].offset) of \(name): \(failure.description) (\(context.prefix(300)))"
    }

    var resetAdvice: String {
        "to go on behind them, stop the pipeline and set next_offset in table \(settings.positions)"
    }
}
