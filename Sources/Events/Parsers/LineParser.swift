public import Base

/// Turns the bytes of one record into an event. Compiled once, used for every record.
public protocol LineParser: Sendable {
    /// The fields that an event of this parser may have and their types; nil where only the input knows (JSON).
    var fields: [(name: String, type: ValueType)]? { get }

    /// The fields that are worth a column of their own where nobody declares columns; nil where only the input knows.
    var usualFields: [(name: String, type: ValueType)]? { get }

    /// Makes `row` the line's. Text of it may lie in the line's own bytes.
    /// - Throws: what was expected and where, for a line of another shape; what the row holds then is nothing to rely on. The caller
    ///   keeps the line (`on_error`).
    func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError)

    /// The same, of a line that was read at that time: what its own time leaves out (syslog's has no year) is filled in from it.
    func parse(_ line: UnsafeRawBufferPointer, received: Timestamp, into row: inout Row) throws(ParseError)
}

extension LineParser {
    public var usualFields: [(name: String, type: ValueType)]? { fields }

    public func parse(_ line: UnsafeRawBufferPointer, received: Timestamp, into row: inout Row) throws(ParseError) {
        try parse(line, into: &row)
    }

    /// The line as an event that outlives it.
    public func parse(_ line: UnsafeRawBufferPointer) throws(ParseError) -> Event {
        var row = Row()
        try parse(line, into: &row)
        return row.event
    }

    public func parse(_ line: String) throws(ParseError) -> Event { try parse(Array(line.utf8)) }

    public func parse(_ line: [UInt8]) throws(ParseError) -> Event {
        let result: Result<Event, ParseError> = line.withUnsafeBytes { bytes in
            do throws(ParseError) { return .success(try parse(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

/// A line that its parser doesn't know.
public struct ParseError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The byte in the line, from 0.
    public var position: Int
    public var message: String

    public init(at position: Int, _ message: String) {
        self.position = position
        self.message = message
    }

    public var description: String { "\(message) (byte \(position))" }
}
