import Glibc

/// libpq, loaded when the first PostgreSQL sink is opened: linked, it and the twenty libraries that it brings would lie in every broker's memory.
///
/// The functions and numbers are those of its ABI 5 (`libpq-fe.h`), which has not changed since PostgreSQL 8.
struct PostgresLibrary: Sendable {
    typealias Connection = OpaquePointer
    typealias Result = OpaquePointer
    typealias Text = UnsafePointer<CChar>

    static let connectionIsFine: CInt = 0
    static let commandIsDone: CInt = 1
    static let tuplesAreHere: CInt = 2
    static let copyIsOpen: CInt = 4
    /// `PG_DIAG_SQLSTATE` and `PG_DIAG_CONTEXT`.
    static let sqlState = CInt(UInt8(ascii: "C"))
    static let context = CInt(UInt8(ascii: "W"))
    /// `PG_DIAG_MESSAGE_PRIMARY`.
    static let message = CInt(UInt8(ascii: "M"))

    let connect: @Sendable @convention(c) (UnsafePointer<Text?>, UnsafePointer<Text?>, CInt) -> Connection?
    let status: @Sendable @convention(c) (Connection) -> CInt
    let errorMessage: @Sendable @convention(c) (Connection) -> Text?
    let finish: @Sendable @convention(c) (Connection) -> Void
    let execute:
        @Sendable @convention(c) (
            Connection, Text, CInt, UnsafePointer<UInt32>?, UnsafePointer<Text?>?, UnsafePointer<CInt>?,
            UnsafePointer<CInt>?, CInt
        ) -> Result?
    let resultStatus: @Sendable @convention(c) (Result?) -> CInt
    let errorField: @Sendable @convention(c) (Result?, CInt) -> Text?
    let rowCount: @Sendable @convention(c) (Result) -> CInt
    let columnCount: @Sendable @convention(c) (Result) -> CInt
    let value: @Sendable @convention(c) (Result, CInt, CInt) -> Text?
    let isNull: @Sendable @convention(c) (Result, CInt, CInt) -> CInt
    let affected: @Sendable @convention(c) (Result) -> Text?
    let clear: @Sendable @convention(c) (Result?) -> Void
    let putCopy: @Sendable @convention(c) (Connection, Text, CInt) -> CInt
    let endCopy: @Sendable @convention(c) (Connection, Text?) -> CInt
    let nextResult: @Sendable @convention(c) (Connection) -> Result?

    static let fileName = "libpq.so.5"

    /// Once for the process: what is loaded stays.
    static let shared: Swift.Result<PostgresLibrary, Missing> = {
        guard let handle = dlopen(fileName, RTLD_NOW | RTLD_LOCAL) else {
            return .failure(Missing(description: "\(fileName) is not here: install Debian's libpq5"))
        }
        do throws(Missing) { return .success(try PostgresLibrary(handle)) } catch { return .failure(error) }
    }()

    struct Missing: Error, CustomStringConvertible { let description: String }

    private init(_ handle: UnsafeMutableRawPointer) throws(Missing) {
        connect = try Self.function("PQconnectdbParams", of: handle)
        status = try Self.function("PQstatus", of: handle)
        errorMessage = try Self.function("PQerrorMessage", of: handle)
        finish = try Self.function("PQfinish", of: handle)
        execute = try Self.function("PQexecParams", of: handle)
        resultStatus = try Self.function("PQresultStatus", of: handle)
        errorField = try Self.function("PQresultErrorField", of: handle)
        rowCount = try Self.function("PQntuples", of: handle)
        columnCount = try Self.function("PQnfields", of: handle)
        value = try Self.function("PQgetvalue", of: handle)
        isNull = try Self.function("PQgetisnull", of: handle)
        affected = try Self.function("PQcmdTuples", of: handle)
        clear = try Self.function("PQclear", of: handle)
        putCopy = try Self.function("PQputCopyData", of: handle)
        endCopy = try Self.function("PQputCopyEnd", of: handle)
        nextResult = try Self.function("PQgetResult", of: handle)
    }

    private static func function<Function>(
        _ name: String, of handle: UnsafeMutableRawPointer
    ) throws(Missing) -> Function {
        guard let symbol = dlsym(handle, name) else {
            throw Missing(description: "\(fileName) has no function \(name)")
        }
        return unsafeBitCast(symbol, to: Function.self)
    }
}
