import Dispatch

/// A sink's session with its server, opened when it is needed and again after it was lost. All partitions of a process share it, one piece of work at a
/// time, on a thread of its own: libpq blocks.
final class PostgresClient: Sendable {
    /// Unchecked: only touched on `queue`.
    private final class Session: @unchecked Sendable {
        var connection: PostgresConnection?
        var isPrepared = false
    }

    private let settings: PostgresSinkSettings
    private let queue: DispatchQueue
    private let session = Session()

    init(_ settings: PostgresSinkSettings) {
        self.settings = settings
        queue = DispatchQueue(label: "postgres \(settings.place)")
    }

    /// Runs the body in one transaction.
    ///
    /// - Throws: `.passing` where nothing was committed and the same may succeed in a while; `.over` where the commit's answer was lost; `.refused` where a
    ///   person has to look; and what the body throws.
    func transaction<Result: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(with: Swift.Result { try self.run(body) })
            }
        }
    }

    private func run<Result>(_ body: (PostgresConnection) throws -> Result) throws -> Result {
        let connection: PostgresConnection
        let result: Result
        do {
            connection = try connected()
            try connection.execute("BEGIN")
            result = try body(connection)
        } catch let failure as PostgresConnection.Failure {
            reset()
            throw DeliveryFailure(failure.isPassing ? .passing : .refused, failure.description)
        } catch {
            reset()
            throw error
        }
        do { try connection.execute("COMMIT") } catch {
            reset()
            // With a state the server said that it did not; a session that is gone says nothing.
            let isKnown = error.sqlState != nil && !error.isLost
            throw DeliveryFailure(isKnown && error.isPassing ? .passing : .over, "COMMIT: \(error)")
        }
        return result
    }

    /// A session in whatever state is closed: the server rolls back.
    private func reset() {
        session.connection = nil
        session.isPrepared = false
    }

    private func connected() throws -> PostgresConnection {
        if let connection = session.connection, session.isPrepared { return connection }
        let library: PostgresLibrary
        do throws(PostgresLibrary.Missing) { library = try PostgresLibrary.shared.get() } catch {
            throw PipelineError("\(settings.place): \(error)")
        }
        let connection = try PostgresConnection(library, settings.parameters)
        session.connection = connection
        try prepare(connection)
        session.isPrepared = true
        return connection
    }

    /// The tables, where they are missing; who may not make any may use what stands.
    private func prepare(_ connection: PostgresConnection) throws(PostgresConnection.Failure) {
        var statements = [(settings.positions, PostgresSQL.positionsTable(settings))]
        if settings.creates { statements.append((settings.table, PostgresSQL.table(settings))) }
        for (table, statement) in statements {
            let found = try connection.execute("SELECT to_regclass($1) IS NOT NULL", [PostgresSQL.quoted(table)])
            if found.rows.first?.first == "t" { continue }
            do throws(PostgresConnection.Failure) { try connection.execute(statement) } catch {
                // Another member made it at the same moment (PostgreSQL's IF NOT EXISTS is no lock).
                guard ["42P07", "23505"].contains(error.sqlState) else { throw error }
            }
        }
    }
}
