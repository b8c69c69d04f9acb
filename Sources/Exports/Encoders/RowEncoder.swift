import Base
import Events

/// Writes rows as the bytes of one file, from its beginning to its end.
protocol RowEncoder: AnyObject {
    func append(_ row: borrowing Row, offset: Offset, timestamp: Timestamp)

    var rowCount: Int64 { get }

    /// What the file holds so far, in bytes, and what waits in memory, as far as its size can be told.
    var byteCount: Int64 { get }

    /// The memory that rows take which are not in `output` yet.
    var waitingByteCount: Int { get }

    /// Encoded bytes that wait to be written; whoever writes them takes them.
    var output: EncodedOutput { get set }

    /// Makes memory free, at the price of a slightly larger file: what waits goes to `output`.
    func shrink()

    /// Ends the file; the rest of it goes to `output`.
    func finish()
}

/// Bytes on their way to a file, in pieces that are never copied together.
struct EncodedOutput {
    private(set) var pieces: [[UInt8]] = []
    private(set) var count = 0

    mutating func append(_ piece: [UInt8]) {
        if piece.isEmpty { return }
        count += piece.count
        pieces.append(piece)
    }

    /// Keeps the count alone.
    mutating func forgetPieces() { pieces = [] }

    mutating func removeAll() {
        pieces.removeAll(keepingCapacity: true)
        count = 0
    }
}
