/// One session with a PostgreSQL server. Every call blocks.
final class PostgresConnection {
    struct Failure: Error, CustomStringConvertible {
        /// Five characters; nil where the server said nothing.
        var sqlState: String?
        var description: String
        /// Where in a COPY, as in `COPY nginx, line 17, column status: "abc"`.
        var context: String?
        /// The session is over.
        var isLost: Bool

        /// True where the same statement may succeed in a while (PostgreSQL's manual, "PostgreSQL Error Codes").
        var isPassing: Bool {
            guard let sqlState else { return true }
            return isLost || ["08", "53", "57", "40", "55", "58"].contains(sqlState.prefix(2))
        }
    }

    private let library: PostgresLibrary
    private let connection: PostgresLibrary.Connection

    /// - Parameter parameters: libpq's keywords; `dbname` may be a whole URL, what comes after it wins.
    init(_ library: PostgresLibrary, _ parameters: [(keyword: String, value: String)]) throws(Failure) {
        self.library = library
        let made = Self.withTexts(parameters.map(\.keyword) + [nil]) { keywords in
            Self.withTexts(parameters.map(\.value) + [nil]) { values in library.connect(keywords, values, 1) }
        }
        guard let made else {
            throw Failure(sqlState: nil, description: "libpq has no memory left", context: nil, isLost: true)
        }
        connection = made
        guard library.status(made) == PostgresLibrary.connectionIsFine else { throw lost() }
    }

    deinit { library.finish(connection) }

    struct Answer {
        /// The rows' columns as texts.
        var rows: [[String?]]
        /// How many rows a command changed.
        var affected: Int
    }

    @discardableResult
    func execute(_ statement: String, _ values: [String?] = []) throws(Failure) -> Answer {
        let result = Self.withTexts(values) { texts in
            library.execute(connection, statement, CInt(values.count), nil, texts, nil, nil, 0)
        }
        defer { library.clear(result) }
        guard let result else { throw lost() }
        switch library.resultStatus(result) {
        case PostgresLibrary.commandIsDone:
            return Answer(rows: [], affected: Int(library.affected(result).map { String(cString: $0) } ?? "") ?? 0)
        case PostgresLibrary.tuplesAreHere: return Answer(rows: rows(of: result), affected: 0)
        default: throw failure(result)
        }
    }

    private func rows(of result: PostgresLibrary.Result) -> [[String?]] {
        (0..<library.rowCount(result)).map { row in
            (0..<library.columnCount(result)).map { column in
                guard library.isNull(result, row, column) == 0 else { return nil }
                return library.value(result, row, column).map { String(cString: $0) }
            }
        }
    }

    /// Sends the bytes as the data of a COPY … FROM STDIN.
    func copy(_ statement: String, _ bytes: [UInt8]) throws(Failure) {
        let opened = library.execute(connection, statement, 0, nil, nil, nil, nil, 0)
        guard let opened else { throw lost() }
        let status = library.resultStatus(opened)
        guard status == PostgresLibrary.copyIsOpen else {
            let error = failure(opened)
            library.clear(opened)
            throw error
        }
        library.clear(opened)
        var isSent = true
        for start in stride(from: 0, to: bytes.count, by: Self.pieceByteCount) where isSent {
            let piece = bytes[start..<min(bytes.count, start + Self.pieceByteCount)]
            isSent = piece.withUnsafeBytes { piece in
                guard let text = piece.baseAddress?.assumingMemoryBound(to: CChar.self) else { return true }
                return library.putCopy(connection, text, CInt(piece.count)) == 1
            }
        }
        _ = library.endCopy(connection, nil)
        var problem: Failure?
        while let result = library.nextResult(connection) {
            if library.resultStatus(result) != PostgresLibrary.commandIsDone { problem = problem ?? failure(result) }
            library.clear(result)
        }
        if let problem { throw problem }
        guard isSent, library.status(connection) == PostgresLibrary.connectionIsFine else { throw lost() }
    }

    private static let pieceByteCount = 256 << 10

    // MARK: - Failures

    private func failure(_ result: PostgresLibrary.Result) -> Failure {
        func field(_ code: CInt) -> String? { library.errorField(result, code).map { String(cString: $0) } }
        let isLost = library.status(connection) != PostgresLibrary.connectionIsFine
        return Failure(
            sqlState: field(PostgresLibrary.sqlState), description: field(PostgresLibrary.message) ?? said,
            context: field(PostgresLibrary.context), isLost: isLost)
    }

    private func lost() -> Failure { Failure(sqlState: nil, description: said, context: nil, isLost: true) }

    /// In one line.
    private var said: String {
        let text = library.errorMessage(connection).map { String(cString: $0) } ?? ""
        return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }

    private static func withTexts<Result>(
        _ texts: [String?], _ body: (UnsafePointer<PostgresLibrary.Text?>) -> Result
    ) -> Result {
        let copies = texts.map { text in text.map { Array($0.utf8CString) } }
        func descend(_ place: Int, _ pointers: inout [PostgresLibrary.Text?]) -> Result {
            guard place < copies.count else {
                return pointers.withUnsafeBufferPointer { list in
                    if let base = list.baseAddress { return body(base) }
                    return withUnsafePointer(to: PostgresLibrary.Text?.none) { body($0) }
                }
            }
            guard let copy = copies[place] else {
                pointers.append(nil)
                return descend(place + 1, &pointers)
            }
            return copy.withUnsafeBufferPointer { buffer in
                pointers.append(buffer.baseAddress)
                return descend(place + 1, &pointers)
            }
        }
        var pointers: [PostgresLibrary.Text?] = []
        return descend(0, &pointers)
    }
}
